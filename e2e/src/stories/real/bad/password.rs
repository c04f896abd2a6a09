//! Superuser passwords that differ.

use std::time::Instant;

use anyhow::ensure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::super::ring::{RING_WITHIN, cluster_of, end, whole};
use crate::eventually;
use crate::stories::clusters::dc;
use crate::stories::print;
use crate::world::{DATABASES, Login, NodeView, USER, World, conditions, is_ready};

const NAME: &str = "logins";
const SECRET: &str = "logins-superuser";

pub(in crate::stories) async fn password(world: &mut World) -> anyhow::Result<()> {
    let spec = cluster_of(NAME, &[dc("dc1", "east", 1), dc("dc2", "west", 1)], &["r1"]);
    world.apply(&spec.to_string()).await?;
    world.ready(NAME, RING_WITHIN).await?;
    let views = whole(world, &spec, 2).await?;
    let right = world.superuser("control-plane", NAME).await?;
    let wrong = Login {
        password: "not-the-one".to_owned(),
        ..right.clone()
    };
    // In west nobody makes users; in east cass-operator does, and may hand the wrong one on before it is put back.
    for plane in ["west", "east"] {
        let began = Instant::now();
        give(world, plane, &wrong).await?;
        put_back(world, plane, &right).await?;
        only(world, &views, &right, &wrong).await?;
        let cluster = world.clusters().get(NAME).await?;
        ensure!(is_ready(&cluster), "{}", conditions(&cluster));
        print(&format!(
            "    a wrong password in {plane} was put back, and no node takes it, {:.1} s later",
            began.elapsed().as_secs_f64()
        ));
    }
    let new = Login {
        password: "another-one-of-the-user".to_owned(),
        ..right.clone()
    };
    let began = Instant::now();
    give(world, "control-plane", &new).await?;
    for plane in ["east", "west"] {
        put_back(world, plane, &new).await?;
    }
    only(world, &views, &new, &right).await?;
    print(&format!(
        "    a new password of the user is the only one on every node after {:.1} s",
        began.elapsed().as_secs_f64()
    ));
    world.ready(NAME, RING_WITHIN).await?;
    whole(world, &spec, 2).await?;
    end(world, NAME).await
}

fn secrets(world: &World, plane: &str) -> anyhow::Result<Api<Secret>> {
    let plane = world.planes.get(plane);
    let plane = plane.ok_or_else(|| anyhow::anyhow!("no such plane"))?;
    Ok(Api::namespaced(plane.client(), DATABASES))
}

/// Somebody writes a password into the Secret in a plane.
async fn give(world: &World, plane: &str, login: &Login) -> anyhow::Result<()> {
    let params = PatchParams {
        field_manager: Some(USER.to_owned()),
        ..PatchParams::default()
    };
    let patch = json!({"data": {"password": STANDARD.encode(&login.password)}});
    let secrets = secrets(world, plane)?;
    secrets.patch(SECRET, &params, &Patch::Merge(patch)).await?;
    Ok(())
}

/// Waits until the Secret in a plane has this password.
async fn put_back(world: &World, plane: &str, login: &Login) -> anyhow::Result<()> {
    let what = format!("the Secret in {plane} is as in the control plane");
    let looked = eventually(&what, RING_WITHIN, || async {
        let there = world.superuser(plane, NAME).await?;
        Ok((there.password == login.password).then_some(()))
    });
    looked.await
}

/// Waits until every node lets the one in and not the other. Nodes remember logins for a moment.
async fn only(world: &World, views: &[NodeView], right: &Login, wrong: &Login) -> anyhow::Result<()> {
    let looked = eventually("one password counts on every node", RING_WITHIN, || async {
        for view in views {
            world.log_in(view, right).await?;
            world.is_refused(view, wrong).await?;
        }
        Ok(Some(()))
    });
    looked.await
}

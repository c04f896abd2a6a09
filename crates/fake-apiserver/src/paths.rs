//! What a URL asks for.

/// The parts of a request's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path<'p> {
    /// `/readyz`, `/livez`, `/healthz`.
    Health,
    /// `/version`.
    Version,
    /// `/api`.
    Core,
    /// `/apis`.
    Groups,
    /// `/apis/<group>`.
    Group(&'p str),
    /// `/api/v1` or `/apis/<group>/<version>`.
    Resources(&'p str),
    /// Objects.
    Objects(Objects<'p>),
    /// Nothing that is known.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects<'p> {
    /// `v1` or `group/version`.
    pub(crate) api_version: &'p str,
    pub(crate) plural: &'p str,
    pub(crate) namespace: Option<&'p str>,
    pub(crate) name: Option<&'p str>,
    pub(crate) subresource: Option<&'p str>,
}

pub(crate) fn parse(path: &str) -> Path<'_> {
    let path = path.trim_end_matches('/');
    match path {
        "/readyz" | "/livez" | "/healthz" => return Path::Health,
        "/version" => return Path::Version,
        "/api" => return Path::Core,
        "/apis" => return Path::Groups,
        _ => {}
    }
    if let Some(rest) = path.strip_prefix("/api/") {
        let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
        return below(version, rest);
    }
    let Some(rest) = path.strip_prefix("/apis/") else {
        return Path::Unknown;
    };
    let Some(group_end) = rest.find('/') else {
        return Path::Group(rest);
    };
    let version_end = rest[group_end + 1..].find('/').map(|end| end + group_end + 1);
    match version_end {
        Some(end) => below(&rest[..end], &rest[end + 1..]),
        None => Path::Resources(rest),
    }
}

fn below<'p>(api_version: &'p str, rest: &'p str) -> Path<'p> {
    if rest.is_empty() {
        return Path::Resources(api_version);
    }
    let mut parts = rest.split('/');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let mut found = Objects {
        api_version,
        plural: next().unwrap_or_default(),
        ..Objects::default()
    };
    let first = next();
    let second = next();
    match (found.plural, first, second) {
        // `namespaces/<name>/status` and `/finalize` are about the namespace, everything else is in it.
        ("namespaces", Some(namespace), Some(plural)) if !matches!(plural, "status" | "finalize") => {
            found.plural = plural;
            found.namespace = Some(namespace);
            found.name = next();
            found.subresource = next();
        }
        (_, name, subresource) => {
            found.name = name;
            found.subresource = subresource;
        }
    }
    if parts.next().is_some() {
        return Path::Unknown;
    }
    Path::Objects(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_objects_are_told_apart() {
        let objects = |path| match parse(path) {
            Path::Objects(objects) => objects,
            other => panic!("{path}: {other:?}"),
        };
        let pod = objects("/api/v1/namespaces/a/pods/b/status");
        assert_eq!(
            (
                pod.api_version,
                pod.plural,
                pod.namespace,
                pod.name,
                pod.subresource
            ),
            ("v1", "pods", Some("a"), Some("b"), Some("status"))
        );
        let namespace = objects("/api/v1/namespaces/a/status");
        assert_eq!(
            (namespace.plural, namespace.name, namespace.subresource),
            ("namespaces", Some("a"), Some("status"))
        );
        let all = objects("/apis/apps/v1/statefulsets");
        assert_eq!(
            (all.api_version, all.plural, all.namespace),
            ("apps/v1", "statefulsets", None)
        );
    }

    #[test]
    fn what_is_not_about_objects_is_known_too() {
        assert_eq!(parse("/readyz"), Path::Health);
        assert_eq!(parse("/apis/apps"), Path::Group("apps"));
        assert_eq!(parse("/apis/apps/v1"), Path::Resources("apps/v1"));
        assert_eq!(parse("/api/v1/"), Path::Resources("v1"));
        assert_eq!(parse("/nothing"), Path::Unknown);
    }
}

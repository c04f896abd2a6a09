use super::*;

const SOON: Duration = Duration::from_secs(10);

/// A program that writes a line and then stays.
fn stays(folder: &Path) -> Program {
    let launch = Launch::new("stays", Path::new("sh"), folder).unwrap();
    let script = r#"trap 'exit 7' TERM; echo "$GREETING"; while :; do sleep 0.05; done"#;
    Program::start(launch.arg("-c").arg(script).env("GREETING", "here I am")).unwrap()
}

async fn has_written(program: &Program, lines: usize) {
    let written = eventually("its lines", SOON, || async {
        Ok((program.logs()?.lines().count() == lines).then_some(()))
    });
    written.await.unwrap();
}

#[tokio::test]
async fn a_restart_keeps_the_log_and_the_admin_address() {
    let folder = scratch_folder("program").unwrap();
    let mut program = stays(folder.path());
    let (admin, pid) = (program.admin(), program.pid());
    has_written(&program, 1).await;
    program.restart().unwrap();
    has_written(&program, 2).await;
    assert_eq!(program.logs().unwrap(), "here I am\nhere I am\n");
    assert_eq!(program.admin(), admin);
    assert_ne!(program.pid(), pid);
}

#[tokio::test]
async fn a_terminated_program_ends_by_itself_and_a_killed_one_does_not() {
    let folder = scratch_folder("program").unwrap();
    let mut program = stays(folder.path());
    has_written(&program, 1).await;
    assert_eq!(program.terminate(SOON).await.unwrap().code(), Some(7));
    program.restart().unwrap();
    program.kill();
    assert_eq!(program.exited().unwrap().code(), None, "killed by a signal");
}

#[tokio::test]
async fn what_never_gets_ready_shows_the_end_of_its_log() {
    let folder = scratch_folder("program").unwrap();
    let mut program = stays(folder.path());
    has_written(&program, 1).await;
    let said = format!(
        "{:#}",
        program.ready(Duration::from_millis(100)).await.unwrap_err()
    );
    assert!(
        said.starts_with("here I am: stays ready: not within 100 ms"),
        "{said}"
    );
}

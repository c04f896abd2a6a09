//! `cargo xtask cassandra`: the jars of real nodes, fetched and held against the list.

use anyhow::Result;
use e2e::Cassandra;

/// What to do with the list
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Fetch the jars anew and take what comes as the list, after a change of e2e/cassandra/pom.xml
    #[arg(long)]
    write_checksums: bool,
}

/// Fetches what is not there.
///
/// # Errors
/// What is missing and how to get it, or which jar is not what it should be.
pub fn run(args: &Args) -> Result<()> {
    if args.write_checksums {
        let jars = Cassandra::write_checksums()?;
        println!("e2e/cassandra/checksums.txt lists {jars} jars; look at what changed before you take it");
        return Ok(());
    }
    let found = Cassandra::find()?;
    println!(
        "Java: {}\njars: {}, all as listed",
        found.java.display(),
        found.jars.display()
    );
    Ok(())
}

//! The command line itself: help, versions and wrong use.

use crate::program::run;

/// Every command with what its help must name.
const COMMANDS: [(&[&str], &[&str]); 9] = [
    (
        &[],
        &[
            "serve",
            "demo",
            "simulate",
            "migrate",
            "user",
            "--config",
            "--version",
        ],
    ),
    (&["serve"], &["--migrate", "--config"]),
    (
        &["demo"],
        &["--smoke", "--listen", "--data", "--time-scale"],
    ),
    (
        &["simulate"],
        &[
            "--linode",
            "--digitalocean",
            "--aws",
            "--gcp",
            "--seed",
            "--time-scale",
            "--faults",
        ],
    ),
    (&["migrate"], &["up", "down", "status"]),
    (&["migrate", "up"], &["--config"]),
    (&["migrate", "down"], &["STEPS", "default: 1"]),
    (&["migrate", "status"], &["--config"]),
    (
        &["user", "create"],
        &["--email", "--operator", "--organization"],
    ),
];

#[test]
fn the_help_of_every_command_names_all_that_it_takes() {
    for (command, named) in COMMANDS {
        let help = run(&[command, &["--help"]].concat(), &[]).ok();
        assert_eq!(help.err, "", "{command:?}");
        for it in named {
            assert!(
                help.out.contains(it),
                "`{it}` is not in the help of {command:?}"
            );
        }
        let bare = undescribed(&help.out);
        assert!(bare.is_empty(), "{command:?} does not describe {bare:?}");
    }
}

/// Finds options and commands that stand alone on their line with nothing beneath.
fn undescribed(help: &str) -> Vec<&str> {
    let lines: Vec<_> = help.lines().collect();
    let mut bare = Vec::new();
    for pair in lines.windows(2) {
        let (line, next) = (pair[0], pair[1]);
        let is_option = line.starts_with("  ") && line.trim_start().starts_with('-');
        let described = line.trim().contains("  ") || next.starts_with("          ");
        if is_option && !described {
            bare.push(line);
        }
    }
    bare
}

#[test]
fn every_command_is_in_the_table_of_this_test() {
    let help = run(&["--help"], &[]).ok().out;
    let listed = help.split("Commands:\n").nth(1).unwrap();
    let listed = listed.lines().take_while(|it| !it.trim().is_empty());
    for line in listed.filter(|it| it.starts_with("  ") && !it.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap();
        let known = name == "help" || COMMANDS.iter().any(|it| it.0.first() == Some(&name));
        assert!(known, "`{name}` is not tested");
    }
}

#[test]
fn settings_stand_in_the_help_of_the_commands_that_read_them_and_nowhere_else() {
    for (command, _) in COMMANDS {
        let help = run(&[command, &["--help"]].concat(), &[]).ok().out;
        let reads = !matches!(command.first(), Some(&("demo" | "simulate")));
        for it in ["ROADSTEAD_LISTEN", "--config"] {
            assert_eq!(help.contains(it), reads, "{it} {command:?}");
        }
    }
}

#[test]
fn the_version_is_told() {
    let version = run(&["--version"], &[]).ok().out;
    assert!(version.starts_with("roadstead 0."), "{version}");
}

#[test]
fn wrong_use_ends_with_2_and_says_how_it_is_right() {
    let wrong: [&[&str]; 18] = [
        &["sail"],
        &["serve", "--sail"],
        &["serve", "now"],
        &["migrate"],
        &["migrate", "sideways"],
        &["migrate", "down", "many"],
        &["user"],
        &["user", "create"],
        &["user", "create", "--email", "a@test.example"],
        &["user", "create", "--email", "a@b", "--organization", ""],
        &["user", "create", "--email", "a@b", "--organization", " \t"],
        &["user", "create", "--operator"],
        &["demo", "--config", "/absent.toml"],
        &["simulate", "--config", "/absent.toml"],
        &["--config", "/absent.toml", "demo"],
        &["--config", "/absent.toml", "simulate"],
        &["simulate", "--digitalocean", "9101"],
        &["demo", "--time-scale", "fast"],
    ];
    for arguments in wrong {
        let ended = run(arguments, &[]).failed(2, &[]);
        assert_eq!(ended.out, "", "{arguments:?}");
        assert!(
            ended.err.contains("--help") || ended.err.contains("Usage"),
            "{}",
            ended.err
        );
    }
}

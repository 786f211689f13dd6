//! This program again, as a child that prints figures.

use std::process::Command;

/// Runs `bench ARGUMENTS…` and reads the numbers that it prints.
pub(crate) fn ask<const N: usize>(arguments: &[&str]) -> [f64; N] {
    numbers(arguments).try_into().unwrap_or_else(|numbers| panic!("bench {} said {numbers:?}", arguments.join(" ")))
}

/// The same, however many they are.
pub(crate) fn numbers(arguments: &[&str]) -> Vec<f64> {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new(program).args(arguments).output().expect("a child");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bench {} failed: {problem}", arguments.join(" "));
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}

#[derive(rest_runtime::RestEnum)]
enum Status {}

fn main() {}

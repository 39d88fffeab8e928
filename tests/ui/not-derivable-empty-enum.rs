#[derive(rest_runtime::RestEnum, Clone, Copy)]
enum Status {}

fn main() {}

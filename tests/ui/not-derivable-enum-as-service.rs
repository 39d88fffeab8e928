#[derive(rest_runtime::RestService)]
#[rest(name = "blog")]
enum Blog {
    Posts,
}

fn main() {}

#[derive(rest_runtime::RestResource)]
#[rest(rules(mine = yours, yours = mine), access(read = mine))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}

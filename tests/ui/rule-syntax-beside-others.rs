#[derive(rest_runtime::RestResource)]
#[rest(access(
    read = "
        title is not null
        and title == 'a'
    ",
))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}

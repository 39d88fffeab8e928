use rest_runtime::types::BelongsTo;

#[derive(rest_runtime::RestResource)]
#[rest(soft_delete = deleted_at, access(read = public, delete = public))]
struct Post {
    id: i64,
    title: String,
    restore: Option<BelongsTo<Post>>,
}

fn main() {}

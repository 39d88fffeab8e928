//! The table of keys: every word of a schema at every level, what its value looks like, and whether it is served.
//!
//! Reading (unknown keys, `not-yet`), export and the JSON Schema loop over it, so a word is added here once, together
//! with its meaning in [`crate::resolve()`].

/// A place in a schema where keys may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// The top.
    Service,
    /// The top of an included file.
    Included,
    /// `storage:`
    Storage,
    /// One entry of `mixins:`
    Mixin,
    /// One entry of `resources:`
    Resource,
    /// The long form of `key:`
    Key,
    /// One entry of `fields:`
    Field,
    /// One entry of `belongs_to:`
    BelongsTo,
    /// The long form of `inverse:`
    Inverse,
    /// One entry of `many_to_many:`
    ManyToMany,
    /// The long form of one entry of `index:`
    Index,
    /// The long form of one entry of `check:`
    Check,
    /// `timestamps:`
    Timestamps,
    /// `access:`
    Access,
    /// `accounts:`
    Accounts,
    /// `tokens:`
    Tokens,
    /// `page:`
    Page,
    /// `limits:`
    Limits,
    /// `cors:`
    Cors,
    /// `sessions:`
    Sessions,
    /// `flask:` of `sessions:`
    Flask,
    /// `jwt:`
    Jwt,
    /// A claim that `jwt:` takes over
    Claim,
    /// `caching:`
    Caching,
    /// `deprecated:`
    Deprecated,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// A name of the schema: a letter or `_`, then letters, digits, `_`.
    Name,
    /// The name of a resource.
    Resource,
    /// Names in a list.
    Names,
    /// Texts in a list.
    Texts,
    /// One text, or several in a list.
    TextOrTexts,
    /// An expression of the rule language.
    Rule,
    /// Rules by name.
    Rules,
    /// `true` or `false`.
    Flag,
    /// A number from 1.
    Count,
    /// Bytes: `1MiB`, `64KiB`, or a number.
    Size,
    /// `90s`, `15m`, `1h`, `90d`.
    Duration,
    /// `1..64`, `..120`, `1..`; both ends included.
    Interval,
    /// A value of the field's type.
    Literal,
    /// A value of the field's type, a word, or an expression.
    Default,
    /// The name of a field type.
    Type,
    /// One of some words.
    Word(&'static [&'static str]),
    /// `name` or `-name`, one or several in a list.
    Sort,
    /// Terms of an index: names, `-name`, or expressions.
    Terms,
    /// A list of lists of names.
    Uniques,
    /// A list of lists of terms or of long forms.
    Indexes,
    /// `uuid`, the name of a field, a list of names, or the long form.
    Key,
    /// Keys of a level; its short form where it has one.
    Block(Level),
    /// Names, each with keys of a level or its short form.
    Named(Level),
    /// Whatever a word that isn't served yet will look like.
    Later,
}

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The word.
    pub key: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

impl KeyRow {
    /// Whether its meaning is served.
    pub fn served(&self) -> bool {
        self.shape != Shape::Later
    }
}

macro_rules! keys {
    ($($key:literal $shape:expr, $doc:literal;)*) => {
        &[$(KeyRow { key: $key, shape: { use Shape::*; $shape }, doc: $doc }),*]
    };
}

impl Level {
    /// All levels.
    pub const ALL: &'static [Self] = &[
        Self::Service,
        Self::Included,
        Self::Storage,
        Self::Mixin,
        Self::Resource,
        Self::Key,
        Self::Field,
        Self::BelongsTo,
        Self::Inverse,
        Self::ManyToMany,
        Self::Index,
        Self::Check,
        Self::Timestamps,
        Self::Access,
        Self::Accounts,
        Self::Tokens,
        Self::Page,
        Self::Limits,
        Self::Cors,
        Self::Sessions,
        Self::Flask,
        Self::Jwt,
        Self::Claim,
        Self::Caching,
        Self::Deprecated,
    ];

    /// The keys that may stand here, in the order in which they are exported.
    pub fn rows(self) -> &'static [KeyRow] {
        match self {
            Self::Service => SERVICE,
            Self::Included => INCLUDED,
            Self::Storage => STORAGE,
            Self::Mixin => MIXIN,
            Self::Resource => RESOURCE,
            Self::Key => KEY,
            Self::Field => FIELD,
            Self::BelongsTo => BELONGS_TO,
            Self::Inverse => INVERSE,
            Self::ManyToMany => MANY_TO_MANY,
            Self::Index => INDEX,
            Self::Check => CHECK,
            Self::Timestamps => TIMESTAMPS,
            Self::Access => ACCESS,
            Self::Accounts => ACCOUNTS,
            Self::Tokens => TOKENS,
            Self::Page => PAGE,
            Self::Limits => LIMITS,
            Self::Cors => CORS,
            Self::Sessions => SESSIONS,
            Self::Flask => FLASK,
            Self::Jwt => JWT,
            Self::Claim => CLAIM,
            Self::Caching => CACHING,
            Self::Deprecated => DEPRECATED,
        }
    }

    /// A row by its word.
    pub fn row(self, key: &str) -> Option<&'static KeyRow> {
        self.rows().iter().find(|row| row.key == key)
    }

    /// The key that a bare value stands for, where there is a short form.
    pub fn short(self) -> Option<&'static str> {
        match self {
            Self::Field => Some("type"),
            Self::BelongsTo | Self::ManyToMany => Some("to"),
            Self::Inverse => Some("name"),
            Self::Index => Some("on"),
            Self::Check => Some("rule"),
            Self::Claim => Some("claim"),
            Self::Deprecated => Some("is"),
            Self::Service
            | Self::Included
            | Self::Storage
            | Self::Mixin
            | Self::Resource
            | Self::Key
            | Self::Timestamps
            | Self::Access
            | Self::Accounts
            | Self::Tokens
            | Self::Page
            | Self::Limits
            | Self::Cors
            | Self::Sessions
            | Self::Flask
            | Self::Jwt
            | Self::Caching => None,
        }
    }

    /// Whether its short form is `true` or `false`.
    pub fn is_flag(self) -> bool {
        let short = self.short().and_then(|key| self.row(key));
        short.is_some_and(|row| row.shape == Shape::Flag)
    }

    /// What has these keys, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Service => "a service",
            Self::Included => "an included file",
            Self::Storage => "`storage`",
            Self::Mixin => "a mixin",
            Self::Resource => "a resource",
            Self::Key => "`key`",
            Self::Field => "a field",
            Self::BelongsTo => "a belongs_to relation",
            Self::Inverse => "`inverse`",
            Self::ManyToMany => "a many_to_many relation",
            Self::Index => "an index",
            Self::Check => "a check",
            Self::Timestamps => "`timestamps`",
            Self::Access => "`access`",
            Self::Accounts => "`accounts`",
            Self::Tokens => "`tokens`",
            Self::Page => "`page`",
            Self::Limits => "`limits`",
            Self::Cors => "`cors`",
            Self::Sessions => "`sessions`",
            Self::Flask => "`flask`",
            Self::Jwt => "`jwt`",
            Self::Claim => "a claim",
            Self::Caching => "`caching`",
            Self::Deprecated => "`deprecated`",
        }
    }
}

const SERVICE: &[KeyRow] = keys! {
    "service"     Text,                    "The service's name";
    "version"     Text,                    "The version of the API, for documents; `1.0.0` where it isn't said";
    "description" Text,                    "What the service is for, in Markdown";
    "prefix"      Text,                    "What every address begins with; `/api` where it isn't said";
    "managed"     Flag,                    "Whether the tables are ours to create, or another program's";
    "storage"     Block(Level::Storage),   "How the database is opened";
    "include"     TextOrTexts,             "Files with more resources and mixins, relative to this one; `*` is wild";
    "mixins"      Named(Level::Mixin),     "Parts that several resources share";
    "resources"   Named(Level::Resource),  "What the service keeps";
    "accounts"    Block(Level::Accounts),  "Who signs in";
    "tokens"      Block(Level::Tokens),    "How tokens are made";
    "page"        Block(Level::Page),      "Sizes of pages";
    "limits"      Block(Level::Limits),    "What a request may cost";
    "cors"        Block(Level::Cors),      "Which pages of other origins may call; none where it isn't said";
    "sessions"    Block(Level::Sessions),  "How browsers are signed in, by a cookie; not at all where it isn't said";
    "jwt"         Block(Level::Jwt),       "Tokens of another issuer that are taken beside the service's own (RFC 7519); none where it isn't said";
    "caching"     Block(Level::Caching),   "How long caches may keep what is the same for everybody; not without asking where it isn't said";
    "pages"       Later,                   "HTML pages";
    "audit"       Flag,                    "Whether every change is logged, as its last step; a resource may say otherwise";
};

const INCLUDED: &[KeyRow] = keys! {
    "mixins"      Named(Level::Mixin),     "Parts that several resources share";
    "resources"   Named(Level::Resource),  "What the service keeps";
};

const STORAGE: &[KeyRow] = keys! {
    "journal"     Word(&["wal"]),          "The journal mode to switch an SQLite file to that isn't ours";
};

const MIXIN: &[KeyRow] = keys! {
    "mixins"       Names,                     "Mixins that this one is made of";
    "key"          Key,                       "What tells one item from another";
    "fields"       Named(Level::Field),       "Its fields";
    "belongs_to"   Named(Level::BelongsTo),   "Relations whose key stands in its table";
    "many_to_many" Named(Level::ManyToMany),  "Relations over a table of pairs";
    "unique"       Uniques,                   "Tuples of fields that no two rows share";
    "index"        Indexes,                   "Indexes";
    "check"        Named(Level::Check),       "Conditions that every row satisfies";
    "rules"        Rules,                     "Rules that other rules use by name";
    "sort"         Sort,                      "The order where a request names none";
    "version"      Name,                      "The field that counts changes: 1 in a new row, raised by each change; declared as a `bigint` where it isn't";
    "timestamps"   Block(Level::Timestamps),  "The fields that say when a row was made and changed; declared as `timestamp` where they aren't";
    "soft_delete"  Name,                      "The field that says when a row was deleted; such a row stays, and is in no answer. Declared as an optional `timestamp` where it isn't";
    "preconditions" Word(&["required"]),      "A write of an item has to say by `If-Match` on which state it is based (428 without)";
    "audit"        Flag,                      "Whether every change of a row is logged, in the change's own transaction; as the service says where it isn't said";
    "caching"      Block(Level::Caching),     "How long caches may keep what is the same for everybody; as the service says where it isn't said";
    "access"       Block(Level::Access),      "Who may do what; an operation without a rule isn't served";
};

const RESOURCE: &[KeyRow] = keys! {
    "table"        Text,                      "The table; the name in snake_case where it isn't said";
    "collection"   Text,                      "The address; the name's plural in kebab-case where it isn't said";
    "description"  Text,                      "In Markdown";
    "deprecated"   Block(Level::Deprecated), "What clients are told of its end";
    "mixins"       Names,                     "Shared parts it is made of";
    "key"          Key,                       "What tells one item from another; a counted integer `id` where it isn't said";
    "fields"       Named(Level::Field),       "Its fields";
    "belongs_to"   Named(Level::BelongsTo),   "Relations whose key stands in its table";
    "many_to_many" Named(Level::ManyToMany),  "Relations over a table of pairs";
    "unique"       Uniques,                   "Tuples of fields that no two rows share";
    "index"        Indexes,                   "Indexes";
    "check"        Named(Level::Check),       "Conditions that every row satisfies";
    "rules"        Rules,                     "Rules that other rules use by name";
    "sort"         Sort,                      "The order where a request names none; by key where it isn't said";
    "version"      Name,                      "The field that counts changes: 1 in a new row, raised by each change; declared as a `bigint` where it isn't";
    "timestamps"   Block(Level::Timestamps),  "The fields that say when a row was made and changed; declared as `timestamp` where they aren't";
    "soft_delete"  Name,                      "The field that says when a row was deleted; such a row stays, and is in no answer. Declared as an optional `timestamp` where it isn't";
    "preconditions" Word(&["required"]),      "A write of an item has to say by `If-Match` on which state it is based (428 without)";
    "audit"        Flag,                      "Whether every change of a row is logged, in the change's own transaction; as the service says where it isn't said";
    "caching"      Block(Level::Caching),     "How long caches may keep what is the same for everybody; as the service says where it isn't said";
    "access"       Block(Level::Access),      "Who may do what; an operation without a rule isn't served";
    "where"        Rule,                      "A rule that holds of every row that anybody may do anything with, beside the rule of each operation";
    "pages"        Later,                     "What its HTML pages show";
    "display"      Later,                     "The field that names an item";
    "expose"       Later,                     "Which operations are served";
    "sql"          Later,                     "Raw SQL";
};

const KEY: &[KeyRow] = keys! {
    "type"         Word(&["integer", "bigint", "uuid"]), "What is generated; integers have 64 bits";
    "name"         Name,                      "The field; `id` where it isn't said";
    "column"       Text,                      "The column; the field's name where it isn't said";
    "by_client"    Flag,                      "Whether a client may choose it on create";
};

const FIELD: &[KeyRow] = keys! {
    "type"        Type,      "Its type";
    "values"      Texts,     "The words of an enum";
    "precision"   Count,     "All digits of a decimal";
    "scale"       Count,     "Digits of a decimal after the point; 0 where it isn't said";
    "computed"    Rule,      "The expression that it is computed by; such a field has no column";
    "column"      Text,      "The column; the field's name where it isn't said";
    "api_name"    Text,      "The name on the wire, where it isn't the field's";
    "description" Text,      "In Markdown";
    "example"     Literal,   "An example value for documents";
    "deprecated"  Block(Level::Deprecated), "What clients are told of its end";
    "was"         Text,      "The former name, for migrations";
    "optional"    Flag,      "Whether it may be null";
    "default"     Default,   "What it is where a body doesn't say: a value, `now`, `uuid`, `database`, or an expression";
    "length"      Interval,  "Least and greatest length, in characters or bytes";
    "range"       Interval,  "Least and greatest value";
    "pattern"     Text,      "A regular expression that the text must match; `^` and `$` say where it begins and ends";
    "unique"      Flag,      "Whether no two rows share it";
    "index"       Flag,      "Whether it has an index";
    "searchable"  Flag,      "Whether `q`, a full-text search of the collection, looks into it";
    "filterable"  Flag,      "Whether a request may filter by it; yes for keys, unique, indexed and searchable fields";
    "sortable"    Flag,      "Whether a request may sort by it; yes for keys, unique, indexed and searchable fields";
    "immutable"   Flag,      "Set on create, never changed";
    "readonly"    Flag,      "Never set by a client";
    "writeonly"   Flag,      "Accepted, never shown";
    "private"     Flag,      "Neither shown nor accepted";
    "readable"    Rule,      "Who may read it, beyond the rule of the resource";
    "writable"    Rule,      "Who may write it, beyond the rule of the operation";
    "sql"         Later,     "Raw SQL";
};

const BELONGS_TO: &[KeyRow] = keys! {
    "to"          Resource,  "The resource it leads to";
    "column"      Text,      "The column of the key; the name and the target's key where it isn't said";
    "columns"     Texts,     "The columns, where the target's key has several fields";
    "api_name"    Text,      "The key field's name on the wire";
    "description" Text,      "In Markdown";
    "deprecated"  Block(Level::Deprecated), "What clients are told of its end";
    "inverse"     Block(Level::Inverse), "The name of the relation seen from the target";
    "optional"    Flag,      "Whether it may lead nowhere";
    "default"     Default,   "Where a body doesn't say: `me`, the caller's account, `database`, or a field of his or of a related row, `me.team_id`";
    "unique"      Flag,      "Whether no two items lead to the same target";
    "index"       Flag,      "Whether its columns have an index of their own";
    "filterable"  Flag,      "Whether a request may filter by its key; yes where it isn't said";
    "sortable"    Flag,      "Whether a request may sort by its key; yes where it isn't said";
    "immutable"   Flag,      "Set on create, never changed";
    "readonly"    Flag,      "Never set by a client";
    "readable"    Rule,      "Who may read its key, beyond the rule of the resource";
    "writable"    Rule,      "Who may write its key, beyond the rule of the operation";
    "on_delete"   Word(&["restrict", "cascade", "set_null"]), "What happens here when the target is deleted";
    "check"       Later,     "A rule over both rows";
};

const INVERSE: &[KeyRow] = keys! {
    "name"        Name,      "Its name";
    "description" Text,      "In Markdown";
    "limit"       Count,     "How many items an include shows";
    "sort"        Sort,      "The order of an include";
    "nested"      Flag,      "Whether POST of the target makes items of this side along with it";
};

const MANY_TO_MANY: &[KeyRow] = keys! {
    "to"          Resource,    "The resource it leads to";
    "table"       Text,      "The table of pairs; this table and the relation's name where it isn't said";
    "through"     Resource,  "A resource whose items are the pairs: it has a belongs_to to either side, and both are unique together";
    "from_column" Text,      "Its column with the key of this side; of a `through`, said where several could be meant";
    "to_column"   Text,      "Its column with the key of the target; likewise";
    "description" Text,      "In Markdown";
    "inverse"     Block(Level::Inverse), "The name of the relation seen from the target";
    "writable"    Flag,      "Whether items show the keys of the targets (`tag_ids`), and bodies set them";
    "api_name"    Text,      "The name of that member on the wire";
    "access"      Rule,      "Who may link and unlink, in place of the rule `update`";
};

const INDEX: &[KeyRow] = keys! {
    "on"          Terms,     "Its terms: fields, relations, `-` for descending, or expressions";
    "unique"      Flag,      "Whether it forbids equal rows";
    "where"       Rule,      "Which rows it holds";
};

const CHECK: &[KeyRow] = keys! {
    "rule"        Rule,      "The condition";
    "message"     Text,      "What a client reads when it is broken";
};

const TIMESTAMPS: &[KeyRow] = keys! {
    "created"     Name,      "The field with the moment when a row was made";
    "updated"     Name,      "The field with the moment when a row was last changed, or made";
};

const ACCESS: &[KeyRow] = keys! {
    "read"        Rule,      "Who may read an item, by GET and wherever else it shows";
    "create"      Rule,      "Who may POST";
    "change"      Rule,      "Who may PUT, PATCH and DELETE; not beside `update` and `delete`";
    "update"      Rule,      "Who may PUT and PATCH";
    "delete"      Rule,      "Who may DELETE";
    "restore"     Rule,      "Who may see deleted items and bring them back; with `soft_delete`";
};

const ACCOUNTS: &[KeyRow] = keys! {
    "resource"    Name,      "The resource whose items are accounts";
    "identify_by" Names,     "Fields that name an account at sign-in; each unique";
    "password"    Name,      "The field of type password";
    "admin"       Rule,      "Who administers the service: a rule over `me`";
    "active"      Rule,      "Which accounts may sign in and use their tokens: a rule over `me`; all where it isn't said";
};

const TOKENS: &[KeyRow] = keys! {
    "lifetime"     Duration, "How long a token lasts where its request doesn't say; 1h";
    "max_lifetime" Duration, "The longest that may be asked for; 90d";
    "scopes"       Names,    "Words of the service's own that a token may have, for rules that ask `scope(x)`";
};

const SESSIONS: &[KeyRow] = keys! {
    "idle"     Duration,            "How long a session lasts that isn't used; 2h";
    "lifetime" Duration,            "How long it lasts at most; 14d";
    "flask"    Block(Level::Flask), "Whoever is signed in to a Flask app is so here, by its cookie; the service has to be given the app's `SECRET_KEY`";
};

const FLASK: &[KeyRow] = keys! {
    "cookie"   Text,     "The cookie's name (`SESSION_COOKIE_NAME`); `session`";
    "lifetime" Duration, "How old a cookie may be (`PERMANENT_SESSION_LIFETIME`); 31d";
    "user"     Name,     "The field of an account that the app's `get_id()` gives; the key where it isn't said";
    "remember" Text,     "The cookie by which Flask-Login remembers who was signed in (`REMEMBER_COOKIE_NAME`); not looked at where it isn't said";
};

const JWT: &[KeyRow] = keys! {
    "issuer"     Text,                "Who makes them: their claim `iss`, to the letter";
    "audience"   TextOrTexts,         "For whom they are made: one of these has to be in their claim `aud`";
    "keys"       Text,                "The issuer's public keys, a JWK Set (RFC 7517): an https address, or a file; the service may be told another (`REST_JWKS`)";
    "algorithms" Names,               "The algorithms that are taken; RS256, ES256 and EdDSA where it isn't said";
    "subject"    Text,                "The claim that says whose it is; `sub`";
    "user"       Name,                "The field of an account that holds what `subject` says; the key where it isn't said";
    "claims"     Named(Level::Claim), "Fields of `me` that the token says, in the place of the account's row";
    "scopes"     Text,                "The claim whose words are all that the token may do; where it isn't said, it may do what its account may";
};

const CLAIM: &[KeyRow] = keys! {
    "claim"      Text,     "The claim; a point leads into an object, as in `realm_access.role`";
    "has"        Text,     "The word that has to be in it, or the item in its list, for the field to be true";
};

const PAGE: &[KeyRow] = keys! {
    "limit"       Count,     "Items on a page where a request doesn't say; 20";
    "max"         Count,     "The most that a request may ask for; 100";
};

const LIMITS: &[KeyRow] = keys! {
    "body"          Size,    "Bytes of a body; 1MiB";
    "bulk"          Count,   "Objects in one create; 1000";
    "include_depth" Count,   "How deep includes nest; 3";
    "includes"      Count,   "Relations included in one request; 10";
    "filters"       Count,   "Filter parameters in one request; 20";
    "requests"      Count,   "Requests of one caller within `window`; without a limit where it isn't said";
    "window"        Duration, "How long `requests` are counted before they are counted anew; 1m";
    "statement_timeout" Duration, "How long the database may work on one statement, and how long a request may wait for its turn; beyond, it is answered with 503; 30s";
};

const CACHING: &[KeyRow] = keys! {
    "max_age"        Duration, "How long a cache may answer by itself";
    "shared_max_age" Duration, "The same for caches that several share, where it differs";
    "no_cache"       Flag,     "Not without asking, whatever the service says; not beside the others";
};

const DEPRECATED: &[KeyRow] = keys! {
    "is"          Flag,      "Whether it shouldn't be used any more; yes where a date is said";
    "since"       Text,      "The day from which it is deprecated, `2026-01-31`; told in `Deprecation` (RFC 9745)";
    "sunset"      Text,      "The day from which it may be gone; told in `Sunset` (RFC 8594)";
};

const CORS: &[KeyRow] = keys! {
    "origins"     TextOrTexts, "The origins, `https://app.example.com`; or `*` for all";
    "credentials" Flag,        "Whether browsers may send cookies and the like; a token needs none of it";
    "max_age"     Duration,    "How long a browser may remember what it was allowed; 10m";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_once_at_its_level() {
        for level in Level::ALL {
            let mut seen = std::collections::HashSet::new();
            for row in level.rows() {
                assert!(seen.insert(row.key), "{} twice at {level:?}", row.key);
                assert!(!row.doc.ends_with('.') && !row.doc.is_empty(), "{}", row.key);
            }
            assert!(level.short().is_none_or(|key| level.row(key).is_some()));
        }
    }
}

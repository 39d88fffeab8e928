//! Names made from names: tables, columns and addresses, where the schema doesn't give them.

use heck::{ToKebabCase, ToSnakeCase, ToUpperCamelCase};

/// `BlogPost` → `blog_post`: a resource's table, as Flask-SQLAlchemy names it too.
pub fn snake(name: &str) -> String {
    name.to_snake_case()
}

/// `BlogPost` → `blog-post`.
pub fn kebab(name: &str) -> String {
    name.to_kebab_case()
}

/// `blog_post` → `BlogPost`: a type in code; a name that is one already stays as it is.
pub fn camel(name: &str) -> String {
    let is_one =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    if is_one {
        name.to_owned()
    } else {
        name.to_upper_camel_case()
    }
}

/// `BlogPost` → `blog-posts`: a resource's address. Only the last word is made plural.
pub fn collection(name: &str) -> String {
    let kebab = kebab(name);
    match kebab.rsplit_once('-') {
        Some((before, last)) => format!("{before}-{}", plural(last)),
        None => plural(&kebab),
    }
}

/// The plural of an English word; a plural stays as it is.
pub fn plural(word: &str) -> String {
    pluralizer::pluralize(word, 2, false)
}

/// The singular of an English word; a singular stays as it is.
pub fn singular(word: &str) -> String {
    pluralizer::pluralize(word, 1, false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_found_at_capitals_and_digits() {
        for (name, wanted) in [
            ("User", "user"),
            ("BlogPost", "blog_post"),
            ("HTTPServer", "http_server"),
            ("User2FA", "user2_fa"),
            ("OAuth2Token", "o_auth2_token"),
            ("order_line", "order_line"),
            ("ÜbersichtsSeite", "übersichts_seite"),
            ("Größe", "größe"),
            ("ΑλφαΒητα", "αλφα_βητα"),
            ("日本語", "日本語"),
        ] {
            assert_eq!(snake(name), wanted);
            assert_eq!(kebab(name), wanted.replace('_', "-"));
        }
    }

    #[test]
    fn an_address_is_the_plural_of_the_last_word() {
        for (name, wanted) in [
            ("Post", "posts"),
            ("BlogPost", "blog-posts"),
            ("Category", "categories"),
            ("Person", "people"),
            ("NewsItem", "news-items"),
            ("Address", "addresses"),
            ("OrderStatus", "order-statuses"),
            ("Child", "children"),
            ("Equipment", "equipment"),
            ("Posts", "posts"),
            ("Größe", "größes"),
        ] {
            assert_eq!(collection(name), wanted);
        }
    }

    #[test]
    fn singular_undoes_plural_for_the_words_of_the_trade() {
        for word in [
            "post", "category", "person", "address", "status", "box", "child", "tag", "day",
        ] {
            assert_eq!(singular(&plural(word)), word);
            assert_eq!(plural(&plural(word)), plural(word));
            assert_eq!(singular(word), word);
        }
    }

    proptest! {
        #[test]
        fn case_is_changed_once(name in "[A-Za-zÄÖÜäöüßΑ-Ωα-ω][A-Za-z0-9_ÄÖÜäöüßα-ω]{0,30}") {
            let (once, kebab_once) = (snake(&name), kebab(&name));
            prop_assert_eq!(snake(&once), once.clone());
            prop_assert_eq!(kebab(&kebab_once), kebab_once.clone());
            prop_assert_eq!(kebab_once, once.replace('_', "-"));
        }

        #[test]
        fn an_address_is_one_plain_segment(name in "[A-Z][A-Za-z0-9]{0,30}") {
            let address = collection(&name);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            prop_assert!(!address.is_empty() && address.chars().all(plain), "{}", address);
        }

        #[test]
        fn any_text_is_taken(name in any::<String>()) {
            let _ = (snake(&name), collection(&name), singular(&name));
        }
    }
}

//! The OpenAPI document for people, in a real browser.

use std::path::Path;

use libtest_mimic::Trial;

use crate::support::browser;
use crate::support::http::{Client, Request};
use crate::support::nginx::Nginx;
use crate::support::server::{Place, Server};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("docs::a_browser_shows_every_operation", shown),
        trial("docs::the_page_works_below_the_path_of_a_proxy", below),
        trial("docs::the_page_holds_nothing_that_its_policy_forbids", strict),
    ]
}

fn is_shown(page: &str, operations: &[&str]) -> Result<(), String> {
    let missing = operations
        .iter()
        .find(|name| !page.contains(&format!("id=\"operations-{name}\"")));
    match missing {
        None => Ok(()),
        Some(name) => Err(format!("there is no {name} in\n{page}")),
    }
}

fn shown() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let page = browser::page(&format!("http://{}/api/docs", server.address))?;
    is_shown(
        &page,
        &[
            "User-listUsers",
            "Post-createPost",
            "Post-linkTagsOfPost",
            "service-createToken",
        ],
    )?;
    for odd in ["errors-wrapper", "Failed to load", "operations-User-headUsers"] {
        if page.contains(odd) {
            return Err(format!("it says {odd}:\n{page}"));
        }
    }
    Ok(())
}

fn proxy(_: &Path) -> (String, String) {
    let location = "location /tools/ {
      proxy_pass http://service/;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Prefix /tools;
    }";
    (String::new(), location.to_owned())
}

fn below() -> Result<(), String> {
    let place = Place::named("blog")?;
    let mut arguments = place.arguments();
    arguments.extend(["--trusted-proxy", "loopback"].map(str::to_owned));
    let server = Server::start(&arguments)?;
    let nginx = Nginx::configured(&[server.address], proxy)?;
    let page = browser::page(&format!("http://{}/tools/api/docs", nginx.address))?;
    is_shown(&page, &["User-listUsers"])?;
    if page.contains("data-path=\"/tools/api/users\"") {
        Ok(())
    } else {
        Err(format!("its addresses aren't those of the proxy:\n{page}"))
    }
}

/// No script or style within the page, and a policy that would keep them out.
fn strict() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let answer = Client::new(server.address).send(&Request::new("GET", "/api/docs"))?;
    let policy = answer.header("content-security-policy").unwrap_or_default();
    let is_strict = policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; ");
    if !is_strict || policy.contains("unsafe") || policy.contains("http") {
        return Err(format!("the policy is {policy}"));
    }
    let page = answer.text();
    let scripts = page.matches("<script").count();
    let loaded = page.matches("<script src=\"docs/").count();
    if scripts == 0 || scripts != loaded || page.contains("<style") || page.contains("://") {
        return Err(page);
    }
    Ok(())
}

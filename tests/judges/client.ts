// A round of everything that a client does, by types that were made from the OpenAPI document alone.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./blog.js";

const baseUrl = process.argv[2];
assert(baseUrl, "the address of the service");

type Post = components["schemas"]["Post"];
type Page = components["schemas"]["PostPage"];

// Of the forms that a collection has the client takes the first.
type Forms = "application/json" | "application/problem+json";
const client = createClient<paths, Forms>({ baseUrl });

// Who makes a token signs in with the request itself.
const made = await client.POST("/api/tokens", {
  body: { identifier: "susan", password: "susan-password" },
});
assert(made.data, JSON.stringify(made.error));
client.use({
  onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${made.data.token}`);
    return request;
  },
});

const whole = (shown: components["schemas"]["PostPart"] | Post): Post => {
  assert("title" in shown && "id" in shown);
  return shown as Post;
};

// Create.
const created = await client.POST("/api/posts", {
  body: { title: "From a client", status: "draft", score: 7 },
});
assert.equal(created.response.status, 201);
assert(created.data && "id" in created.data, JSON.stringify(created.error));
const { id, status } = created.data;
assert.equal(status, "draft");
const tag = created.response.headers.get("etag");
assert(tag);

// Read it, and find it.
const path = { id };
const read = await client.GET("/api/posts/{id}", { params: { path } });
assert(read.data, JSON.stringify(read.error));
assert.equal(whole(read.data).title, "From a client");
const found = await client.GET("/api/posts", {
  params: {
    query: { "title[startswith]": "From", "score[gte]": 7, sort: ["-score"], limit: 5, include: ["author"] },
  },
});
assert(found.data && "page" in found.data, JSON.stringify(found.error));
const page: Page = found.data;
assert.equal(page.items.length, 1);
assert.equal(page.page.next, null);

// What is known already isn't sent again.
const again = await client.GET("/api/posts/{id}", {
  params: { path, header: { "If-None-Match": tag } },
  parseAs: "text",
});
assert.equal(again.response.status, 304);

// Change it: by merge patch, only in the state that was read, and as a whole.
const patched = await client.PATCH("/api/posts/{id}", {
  params: { path, header: { "If-Match": tag } },
  body: { score: null, title: "Changed" },
});
assert(patched.data, JSON.stringify(patched.error));
assert.equal(patched.data.score, null);
const stale = await client.PATCH("/api/posts/{id}", {
  params: { path, header: { "If-Match": tag } },
  body: { title: "Lost" },
});
assert.equal(stale.response.status, 412);
assert(stale.error);
assert.equal(stale.error.code, "precondition-failed");
const replaced = await client.PUT("/api/posts/{id}", {
  params: { path },
  body: { title: "Replaced", status: "published" },
});
assert(replaced.data, JSON.stringify(replaced.error));

// Pairs, and what a relation leads to.
const pair = { path: { id, other: 1 } };
assert.equal((await client.PUT("/api/posts/{id}/tags/{other}", { params: pair })).response.status, 204);
const tags = await client.GET("/api/posts/{id}/tags", { params: { path } });
assert(tags.data && "page" in tags.data);
assert.equal(tags.data.items.length, 1);
assert.equal((await client.DELETE("/api/posts/{id}/tags/{other}", { params: pair })).response.status, 204);

// Aggregates.
const groups = await client.GET("/api/posts", {
  params: { query: { aggregate: ["count", "max(score)"], group: ["status"] } },
});
assert(groups.data && !("page" in groups.data), JSON.stringify(groups.error));
const published = groups.data.items.find((one) => "group" in one && one.group?.status === "published");
assert(published && "count" in published && published.count === 5);

// What is wrong is told by place.
const refused = await client.POST("/api/posts", { body: { title: "" } });
assert(refused.error);
assert.equal(refused.error.status, 422);
assert.equal(refused.error.errors?.[0]?.pointer, "/title");

// Delete.
assert.equal((await client.DELETE("/api/posts/{id}", { params: { path } })).response.status, 204);
const gone = await client.GET("/api/posts/{id}", { params: { path } });
assert.equal(gone.response.status, 404);
console.log("done");

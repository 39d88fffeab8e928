// Shows the document that stands beside this page. Nothing is sent anywhere but to the service itself.

// HEAD and OPTIONS of every address say nothing to a reader.
const isRead = (operation) => !["head", "options"].includes(operation.get("method"));
const onlyWhatIsRead = {
  statePlugins: {
    spec: {
      wrapSelectors: {
        taggedOperations: (original) => (...given) =>
          original(...given).map((tag) =>
            tag.update("operations", (all) => all.filter(isRead)),
          ),
      },
    },
  },
};

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  plugins: [onlyWhatIsRead],
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});

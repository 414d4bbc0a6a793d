/* Puts Swagger UI in the place of the plain list. Nothing here is needed to read the page. */
(() => {
  "use strict";
  const list = document.getElementById("calls"), place = document.getElementById("swagger-ui");
  if (!window.SwaggerUIBundle || !list || !place) return;
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.classList.toggle("dark-mode", root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  follow(); dark.addEventListener("change", follow);
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
    /* a session of this browser must not decide when a header is tried out */
    requestInterceptor: (request) => { request.credentials = "omit"; return request; },
    onComplete: () => { list.hidden = true; },
  });
})();

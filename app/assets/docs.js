// Shows /openapi.json: every operation, its parameters, bodies and answers, and a form to try it.
"use strict";

/** Makes an element. Text is always text: nothing from the document or from an answer is read as HTML. */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null));
  return element;
}

/** Text in which `…` is code. */
function prose(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}

let api;

function resolve(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? { name, ...api.components.schemas[name] } : (schema ?? {});
}

/** A schema in one line: type and bounds. */
function kind(schema) {
  const { name, type, format, items, enum: values, anyOf, ...rules } = resolve(schema);
  const types = [type ?? []].flat();
  const bounds = [];
  if (rules.minimum != null && rules.maximum != null) bounds.push(`${rules.minimum} to ${rules.maximum}`);
  else if (rules.minimum != null) bounds.push(`at least ${rules.minimum}`);
  else if (rules.maximum != null) bounds.push(`at most ${rules.maximum}`);
  if (rules.maxLength != null) bounds.push(`${rules.minLength ?? 0} to ${rules.maxLength} characters`);
  if (rules.maxItems != null) bounds.push(`${rules.minItems ?? 0} to ${rules.maxItems} items`);
  if (values) bounds.push(values.join(", "));
  if (rules.default != null) bounds.push(`default ${JSON.stringify(rules.default)}`);
  let what = types.filter((one) => one !== "null").join(" or ");
  if (items && what === "array") what = `array of ${kind(items)}`;
  if (!what && anyOf) what = anyOf.map(kind).join(" or ");
  if (name && what === "object") what = name;
  if (format === "date-time") what = "time";
  if (types.includes("null")) what += " or null";
  return [what || "anything", ...bounds].join(", ");
}

/** The properties of an object, and those of objects in it. */
function shape(schema, depth = 0) {
  const whole = resolve(schema);
  const properties = whole.properties ?? resolve(whole.items).properties;
  const required = (whole.properties ? whole : resolve(whole.items)).required ?? [];
  if (!properties || depth > 3) return null;
  return h("ul", { class: "schema" }, Object.entries(properties).map(([name, property]) => {
    const { description } = property.description ? property : resolve(property);
    return h("li", {},
      h("code", {}, name), " ", h("span", { class: "kind" }, kind(property), required.includes(name) ? "" : ", may be absent"),
      description ? [" ", h("span", {}, prose(description))] : null,
      shape(property, depth + 1));
  }));
}

function shapes(content, open = false) {
  return Object.entries(content ?? {}).map(([type, { schema }]) => {
    const inner = resolve(schema).anyOf ? resolve(schema).anyOf.map((one) => shape(one)) : [shape(schema)];
    const line = [h("code", {}, type), " ", h("span", { class: "kind" }, kind(schema))];
    return inner.some(Boolean) ? h("details", { class: "shape", open }, h("summary", {}, line), inner) : h("div", {}, line);
  });
}

function section(title, ...content) {
  return h("section", {}, h("h3", {}, title), ...content);
}

function rows(entries) {
  return h("dl", { class: "rows" }, entries.map(([term, ...details]) => h("div", {}, h("dt", {}, term), h("dd", {}, details))));
}

function parameters(list) {
  return section("Parameters", rows(list.map((one) => [
    [h("code", {}, one.name), " ", one.required ? h("span", { class: "must" }, "required") : null],
    h("div", {}, prose(one.description)), h("div", { class: "kind" }, `${one.in}: ${kind(one.schema)}`),
  ])));
}

function answers(responses) {
  return section("Answers", rows(Object.entries(responses).map(([status, response]) => [
    h("span", { class: `status s${status[0]}` }, status),
    h("div", {}, prose(response.description)),
    Object.entries(response.headers ?? {}).map(([name, header]) =>
      h("div", { class: "kind" }, h("code", {}, name), ` ${header.description}`)),
    shapes(response.content),
  ])));
}

/** JSON with its keys, texts and figures marked. */
function pretty(text) {
  let value;
  try { value = JSON.stringify(JSON.parse(text), null, 2); } catch { return [text]; }
  const parts = [];
  let end = 0;
  for (const found of value.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*/g)) {
    parts.push(value.slice(end, found.index), h("span", { class: found[1] ? (found[2] ? "k" : "s") : "n" }, found[1] ?? found[0]));
    end = found.index + (found[1] ?? found[0]).length;
  }
  return [...parts, value.slice(end)];
}

/** The request that a form stands for. */
function request(method, path, operation, form) {
  const data = new FormData(form);
  const query = new URLSearchParams();
  for (const one of operation.parameters ?? []) {
    const value = data.get(one.name);
    if (one.in === "path") path = path.replace(`{${one.name}}`, encodeURIComponent(value));
    else if (one.in === "query" && value !== "") query.append(one.name, value);
  }
  const url = query.size ? `${path}?${query}` : path;
  const body = operation.requestBody && data.get("body") ? data.get("body") : undefined;
  return { url, method, body, headers: body ? { "content-type": "application/json" } : {} };
}

function curl({ url, method, body }) {
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const parts = ["curl", "-i"];
  if (method !== "GET") parts.push("-X", method);
  parts.push(quote(location.origin + url));
  if (body) parts.push("-H", quote("Content-Type: application/json"), "-d", quote(body.replace(/\s*\n\s*/g, " ")));
  return parts.join(" ");
}

async function send(wanted, out) {
  const started = performance.now();
  try {
    const response = await fetch(wanted.url, wanted);
    const text = await response.text();
    const took = Math.round(performance.now() - started);
    const length = text.length > 100_000 ? `, first 100,000 of ${text.length.toLocaleString("en")} characters` : "";
    out.replaceChildren(
      h("p", {}, h("span", { class: `status s${String(response.status)[0]}` }, `${response.status} ${response.statusText}`),
        h("span", { class: "kind" }, ` ${took} ms, ${response.headers.get("content-type") ?? "no body"}${length}`)),
      text ? h("pre", { tabindex: 0 }, pretty(text.slice(0, 100_000))) : "");
  } catch {
    out.replaceChildren(h("p", { class: "must" }, "No answer: the service cannot be reached."));
  }
}

function field(one) {
  const schema = resolve(one.schema);
  const value = one.example ?? "";
  const common = { name: one.name, required: one.required };
  const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : null);
  const input = choices
    ? h("select", common, h("option", { value: "" }, ""), choices.map((choice) => h("option", { value: choice }, choice)))
    : h("input", { ...common, value, placeholder: schema.default ?? "", autocomplete: "off", spellcheck: "false" });
  return h("label", {}, h("span", {}, h("code", {}, one.name)), input);
}

function attempt(method, path, operation) {
  const out = h("div", { class: "answer", "aria-live": "polite" });
  const button = h("button", { type: "submit" }, "Send");
  const copy = h("button", { type: "button", class: "plain" }, "Copy as curl");
  const example = operation.requestBody?.content["application/json"]?.example;
  const form = h("form", { class: "try" },
    h("div", { class: "fields" }, (operation.parameters ?? []).map(field),
      operation.requestBody
        ? h("label", { class: "wide" }, "Body", h("textarea", { name: "body", spellcheck: "false" }, JSON.stringify(example, null, 2)))
        : null),
    h("div", { class: "actions" }, button, copy), out);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await send(request(method, path, operation, form), out);
    button.disabled = false;
  });
  copy.addEventListener("click", async () => {
    const command = curl(request(method, path, operation, form));
    try {
      await navigator.clipboard.writeText(command);
      copy.textContent = "Copied";
      setTimeout(() => { copy.textContent = "Copy as curl"; }, 1500);
    } catch { // Only secure pages may write to the clipboard.
      out.replaceChildren(h("pre", { tabindex: 0 }, command));
    }
  });
  return section("Try it", form);
}

function operationOf(method, path, operation) {
  const element = h("details", { class: "operation", id: operation.operationId },
    h("summary", {}, h("span", { class: `method ${method.toLowerCase()}` }, method), h("code", {}, path),
      h("span", { class: "quiet" }, operation.summary)));
  // Made when it is opened: a page with everything in it is slow on a telephone.
  element.addEventListener("toggle", () => {
    if (!element.open || element.children.length > 1) return;
    const content = operation.requestBody?.content;
    element.append(h("div", { class: "parts" },
      operation.description ? h("p", {}, prose(operation.description)) : null,
      operation.parameters ? parameters(operation.parameters) : null,
      content ? section(operation.requestBody.required ? "Body" : "Body, may be left out", shapes(content, true)) : null,
      answers(operation.responses),
      attempt(method, path, operation)));
  });
  element.dataset.words = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
  return element;
}

/** Opens what the address names. */
function openNamed() {
  const id = decodeURIComponent(location.hash.slice(1));
  const element = id ? document.getElementById(id) : null;
  for (const link of document.querySelectorAll("#contents a")) {
    if (link.hash === location.hash) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (element?.matches("details")) {
    element.open = true;
    element.scrollIntoView();
  }
}

function filter(words) {
  const wanted = words.toLowerCase().split(/\s+/);
  for (const element of document.querySelectorAll(".operation")) {
    element.hidden = !wanted.every((word) => element.dataset.words.includes(word));
    document.getElementById(`to-${element.id}`).hidden = element.hidden;
  }
  for (const group of document.querySelectorAll(".group, #contents section")) {
    group.hidden = !group.querySelector(".operation:not([hidden]), li:not([hidden])");
  }
}

function show() {
  document.getElementById("version").textContent = `${api.info.version} · OpenAPI ${api.openapi}`;
  const order = ["get", "post", "put", "patch", "delete"];
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    order.filter((method) => methods[method])
      .map((method) => ({ method: method.toUpperCase(), path, operation: methods[method] })));
  const groups = api.tags.map((tag) => [tag, all.filter((one) => one.operation.tags.includes(tag.name))]);
  document.getElementById("contents").replaceChildren(...groups.map(([tag, list]) =>
    h("section", {}, h("h2", {}, tag.name), h("ul", {}, list.map(({ method, path, operation }) =>
      h("li", { id: `to-${operation.operationId}` },
        h("a", { href: `#${operation.operationId}`, title: operation.summary },
          h("span", { class: `method ${method.toLowerCase()}` }, method), h("span", {}, path))))))));
  document.getElementById("operations").replaceChildren(...groups.map(([tag, list]) =>
    h("section", { class: "group" }, h("h2", {}, tag.name), h("p", {}, prose(tag.description)),
      list.map(({ method, path, operation }) => operationOf(method, path, operation)))));
}

const search = document.getElementById("filter");
search.addEventListener("input", () => filter(search.value.trim()));
addEventListener("hashchange", openNamed);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    search.focus();
  }
});

fetch("/openapi.json")
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`status ${response.status}`))))
  .then((read) => { api = read; show(); openNamed(); })
  .catch((error) => {
    document.getElementById("operations").replaceChildren(
      h("p", { class: "notice" }, `The document cannot be read (${error.message}). Load the page again in a moment.`));
  });

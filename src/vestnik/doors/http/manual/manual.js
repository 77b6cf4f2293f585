// The manual's script: find, choose an operation, try an address.  The page reads well without it.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

document.documentElement.classList.add("scripted");
all(".filter, .menu, .operations, details.try").forEach((element) => (element.hidden = false));

// The contents: a menu on narrow screens, a search, and where the reader is.
const nav = document.querySelector("nav");
const menu = document.querySelector(".menu");
const search = nav.querySelector("input");
const links = all("a[data-words]", nav);

function openMenu(open) {
  nav.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", String(open));
}
menu.addEventListener("click", () => openMenu(!nav.classList.contains("open")));
nav.addEventListener("click", (event) => event.target.closest("a") && openMenu(false));

search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const link of links) link.hidden = !words.every((word) => link.dataset.words.includes(word));
  for (const heading of all("h2", nav)) {
    let next = heading.nextElementSibling;
    let empty = true;
    for (; next && next.tagName === "A"; next = next.nextElementSibling) empty &&= next.hidden;
    heading.hidden = empty;
  }
});
search.addEventListener("keydown", (event) => {
  const first = links.find((link) => !link.hidden);
  if (event.key === "Enter" && first) first.click();
  if (event.key === "Escape") {
    search.value = "";
    search.dispatchEvent(new Event("input"));
    search.blur();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    event.preventDefault();
    openMenu(true);
    search.focus();
  }
});

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      for (const link of all("a[href^='#']", nav)) {
        const here = link.hash === `#${entry.target.id}`;
        link.classList.toggle("here", here);
        if (here) link.scrollIntoView({ block: "nearest" });
      }
    }
  },
  { rootMargin: "-15% 0px -80% 0px" },
);
all("main > section").forEach((section) => seen.observe(section));

// What is shown can be copied.
for (const pre of all("pre")) copyable(pre);

function copyable(pre) {
  const button = make("button", "Copy", "copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.querySelector("code").textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  pre.classList.add("copied");
  pre.append(button);
}

// An operation chosen: only what it reads is shown, and its example is opened.
for (const chapter of all(".chapter[data-path]")) {
  const buttons = all(".operations button", chapter);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const chosen = button.dataset.operation;
      for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
      const names = buttons.map((one) => one.dataset.operation);
      for (const part of all("[data-only]", chapter)) {
        const only = part.dataset.only.split(" ").filter(Boolean);
        const name = part.dataset.name ?? part.querySelector("[name]").name;
        const other = names.includes(name) && name !== chosen;
        part.hidden = chosen !== "" && (other || (only.length > 0 && !only.includes(chosen)));
        const control = part.querySelector("[name]");
        if (control && names.includes(name)) control.value = name === chosen ? "1" : "";
      }
      const examples = all("details.example", chapter);
      if (chosen && examples.some((one) => one.dataset.operation === chosen)) {
        for (const one of examples) one.open = one.dataset.operation === chosen;
      }
    });
  }
}

// Trying an address.
const account = document.querySelector("form.account");
account.addEventListener("submit", (event) => event.preventDefault());

function credentials() {
  const given = new FormData(account);
  const names = given.get("apikey") ? ["apikey"] : ["login", "psw"];
  return names.map((name) => [name, given.get(name)]).filter(([, value]) => value);
}

function asked(form) {
  const request = { values: [], files: [], headers: {} };
  for (const control of all("[name]", form)) {
    if (control.name.startsWith(" ") || control.closest("[hidden]")) continue;
    if (control.type === "file") {
      for (const file of control.files) request.files.push([control.name, file]);
    } else if (control.value !== "") {
      if ("header" in control.dataset) request.headers[control.name] = control.value;
      else request.values.push([control.name, control.value]);
    }
  }
  return request;
}

function bodyOf(request, json, secrets) {
  const values = [...secrets, ...request.values, ...(json ? [] : [["charset", "utf-8"]])];
  if (json) return JSON.stringify(Object.fromEntries(values));
  if (request.files.length === 0) return new URLSearchParams(values);
  const form = new FormData();
  for (const [name, value] of [...values, ...request.files]) form.append(name, value);
  return form;
}

function curl(address, request, json) {
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const secret = [["apikey", "KEY"]];
  const words = [`curl ${quote(location.origin + address)}`];
  for (const [name, value] of Object.entries(request.headers)) {
    words.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  if (json) {
    words.push("-H 'Content-Type: application/json'");
    words.push(`-d ${quote(bodyOf(request, true, secret))}`);
  } else if (request.files.length) {
    const values = [...secret, ["charset", "utf-8"], ...request.values];
    for (const [name, value] of values) words.push(`--form-string ${quote(`${name}=${value}`)}`);
    for (const [name, file] of request.files) words.push(`-F ${quote(`${name}=@${file.name}`)}`);
  } else {
    const values = [...secret, ["charset", "utf-8"], ...request.values];
    for (const [name, value] of values) words.push(`--data-urlencode ${quote(`${name}=${value}`)}`);
  }
  return words.join(" \\\n  ");
}

async function told(answer, output) {
  const type = answer.headers.get("content-type") ?? "";
  const octets = await answer.arrayBuffer();
  const attached = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "");
  if (attached) {
    const link = make("a", `Save ${attached[1]} (${octets.byteLength} octets)`);
    link.download = attached[1];
    link.href = URL.createObjectURL(new Blob([octets], { type }));
    const line = make("p");
    line.append(link);
    output.append(line);
    return;
  }
  const charset = /charset=([\w-]+)/.exec(type)?.[1] ?? "utf-8";
  shown(output, new TextDecoder(charset).decode(octets) || " ");
}

function shown(output, text) {
  const pre = make("pre");
  pre.append(make("code", text));
  copyable(pre);
  output.append(pre);
}

for (const form of all("details.try form")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chapter = form.closest(".chapter");
    const output = form.querySelector("output");
    const button = form.querySelector("[type=submit]");
    const request = asked(form);
    const json = form.elements[" by"].value === "json" && request.files.length === 0;
    const address = json ? chapter.dataset.rest : chapter.dataset.path;
    const headers = { ...request.headers };
    if (json) headers["Content-Type"] = "application/json";
    output.hidden = false;
    output.replaceChildren();
    button.disabled = true;
    const began = performance.now();
    try {
      const body = bodyOf(request, json, credentials());
      const answer = await fetch(address, { method: "POST", headers, body, credentials: "omit" });
      const ms = Math.round(performance.now() - began);
      const type = answer.headers.get("content-type");
      output.append(make("p", `HTTP ${answer.status} · ${type} · ${ms} ms`, answer.ok ? "" : "bad"));
      await told(answer, output);
    } catch (problem) {
      output.append(make("p", `The centre did not answer: ${problem.message}`, "bad"));
    } finally {
      button.disabled = false;
    }
    output.append(make("p", "The same from a shell:"));
    shown(output, curl(address, request, json));
  });
}

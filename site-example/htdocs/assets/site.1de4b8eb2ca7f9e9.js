// The site's script: theme, copy buttons, search. Every page works without it.
"use strict";

// The theme is set before the page is painted: this file is loaded in the head, without `defer`.
const root = document.documentElement;
try {
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
} catch {
  // No storage (private window): the system's choice stands.
}

function isDark() {
  return root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
}

function startTheme(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // The choice holds for this page.
    }
  });
}

// What is typed in a block of code: without prompts and without what is answered.
function typed(code) {
  const copy = code.cloneNode(true);
  for (const part of copy.querySelectorAll(".p, .o")) part.remove();
  return copy.textContent.trim() + "\n";
}

function addCopyButton(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(typed(block.querySelector("code")));
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy by hand";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  block.append(button);
}

// An entry's rank for the words asked, higher is better; 0 when a word is missing.
function rank(entry, words) {
  let sum = 0;
  for (const word of words) {
    if (entry.title.toLowerCase().includes(word)) sum += 8;
    else if (entry.page.toLowerCase().includes(word)) sum += 4;
    else if (entry.text.toLowerCase().includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

// A piece of the entry's text, from shortly before the first word found.
function excerpt(entry, words) {
  const at = Math.max(0, entry.text.toLowerCase().indexOf(words[0]) - 40);
  const from = at && entry.text.indexOf(" ", at) + 1;
  const piece = entry.text.slice(from, from + 140);
  const more = from + 140 < entry.text.length;
  return (from ? "… " : "") + (more ? piece.slice(0, piece.lastIndexOf(" ")) + " …" : piece);
}

function startSearch(button) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Search this site");
  dialog.innerHTML = `<form role="search">
      <input type="search" aria-label="Words to look for" placeholder="Search this site"
        autocomplete="off">
      <button class="tool" type="button">Close</button>
    </form>
    <ul class="hits"></ul>
    <p class="count" role="status"></p>`;
  document.body.append(dialog);
  const input = dialog.querySelector("input");
  const hits = dialog.querySelector(".hits");
  const count = dialog.querySelector(".count");
  let index = null;

  function show() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    hits.textContent = "";
    count.textContent = "";
    if (!words.length || !index) return;
    const found = index
      .map((entry) => ({ entry, rank: rank(entry, words) }))
      .filter((hit) => hit.rank > 0)
      .sort((a, b) => b.rank - a.rank)
      .slice(0, 10);
    for (const { entry } of found) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = entry.url;
      link.textContent = entry.title === entry.page ? entry.page : `${entry.page}: ${entry.title}`;
      link.addEventListener("click", () => dialog.close());
      const text = document.createElement("span");
      text.textContent = excerpt(entry, words);
      link.append(text);
      item.append(link);
      hits.append(item);
    }
    count.textContent = found.length ? "" : "Nothing found.";
  }

  async function open() {
    dialog.showModal();
    input.select();
    if (index) return;
    try {
      const answer = await fetch("/search.json");
      if (!answer.ok) throw new Error(String(answer.status));
      index = await answer.json();
      show();
    } catch {
      count.textContent = "The index could not be read. Try again.";
    }
  }

  button.hidden = false;
  button.addEventListener("click", open);
  input.addEventListener("input", show);
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  // Enter goes to the first hit.
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    hits.querySelector("a")?.click();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || busy || dialog.open) return;
    event.preventDefault();
    open();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  startTheme(document.getElementById("theme"));
  if (window.HTMLDialogElement) startSearch(document.getElementById("search"));
  for (const block of document.querySelectorAll("main pre")) addCopyButton(block);
});

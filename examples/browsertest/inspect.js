// Returns, as JSON, a list of what is wrong with a page that must have the wanted headings, and
// may load a style from one address.
((wanted, loads) => {
  const faults = [];
  const fault = (what, el) => {
    const where = el ? " in <" + el.tagName.toLowerCase() + "> “" + (el.textContent || "").trim().replace(/\s+/g, " ").slice(0, 60) + "”" : "";
    if (faults.length < 40) faults.push(what + where);
  };
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  const visible = el => { const r = el.getBoundingClientRect(), s = getComputedStyle(el); return r.width > 0 && r.height > 0 && s.visibility === "visible" && s.opacity === "1"; };

  // Nothing is wider than the window; tables scroll inside their own boxes.
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) fault("the page is " + wide + " pixels wide in a window of " + innerWidth);
  for (const el of all("body *")) {
    if (el.closest(".scroll > *") && getComputedStyle(el.closest(".scroll")).overflowX === "auto") continue;
    const r = el.getBoundingClientRect();
    if (r.right > innerWidth + 1 || r.left < -1) fault("reaches from " + Math.round(r.left) + " to " + Math.round(r.right) + " of " + innerWidth, el);
  }
  for (const el of all(".scroll")) if (el.tabIndex !== 0 || !el.getAttribute("aria-label")) fault("a box that scrolls cannot be reached or has no name", el);

  // Every section has its heading, and every heading, cell and caption has text.
  const headings = all("h1, h2").map(h => h.textContent.trim());
  for (const want of wanted)
    if (!headings.includes(want)) fault("no heading “" + want + "”");
  if (all("h1").length !== 1) fault("not exactly one h1");
  for (const el of all("h1, h2, h3, p, dt, dd, th, td, caption, figcaption, figcaption span, figcaption strong, li")) {
    if (el.closest("[hidden]") || (el.closest("form") && matchMedia("print").matches)) continue;
    if (!el.textContent.trim()) fault("no text", el);
    else if (!visible(el)) fault("not visible", el);
  }
  if (/NaN|undefined|%!|<no value>|&lt;|\bInf\b/.test(document.body.textContent)) fault("unfinished text: " + document.body.textContent.match(/.{0,30}(NaN|undefined|%!|<no value>|&lt;|\bInf\b).{0,30}/)[0]);
  for (const el of all("section")) if (!document.getElementById(el.getAttribute("aria-labelledby"))) fault("a section has no name", el);
  for (const el of all("table")) if (!all("thead th[scope=col]", el).length || !all("tbody th[scope=row]", el).length) fault("a table lacks header cells", el);

  // Pictures have names; their texts neither overlap nor leave the picture.
  for (const svg of all("figure svg")) {
    const title = svg.querySelector("title"), desc = svg.querySelector("desc");
    if (svg.getAttribute("role") !== "img" || !title?.textContent || !desc?.textContent) fault("a picture has no name", svg);
    const box = svg.getBoundingClientRect(), texts = all("text", svg).map(t => [t, t.getBoundingClientRect()]);
    texts.forEach(([t, r], i) => {
      if (r.left < box.left - 2 || r.right > box.right + 8 || r.top < box.top - 6 || r.bottom > box.bottom + 2) fault("a label leaves its picture", t);
      for (const [u, s] of texts.slice(i + 1))
        if (r.left < s.right && s.left < r.right && r.top + 3 < s.bottom && s.top + 3 < r.bottom) fault("labels overlap: " + u.textContent + " and ", t);
    });
    if (!all("path, polygon, line, circle", svg).length) fault("an empty picture", svg);
    const drawn = svg.viewBox.baseVal.width ? box.width / svg.viewBox.baseVal.width : 1; // letters shrink with the picture
    for (const [t] of texts) if (parseFloat(getComputedStyle(t).fontSize) * drawn < 8.5) fault("a label of " + (parseFloat(getComputedStyle(t).fontSize) * drawn).toFixed(1) + " pixels", t);
  }

  // Contrast is that of WCAG AA.
  const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length === 3 ? [...m, 1] : m; };
  const light = ([r, g, b]) => { const f = x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const behind = el => { for (; el; el = el.parentElement) { const c = parse(getComputedStyle(el).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  for (const el of all("body *")) {
    const own = [...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || el.closest("title, desc, style")) continue;
    const s = getComputedStyle(el), ink = parse(el instanceof SVGElement ? s.fill : s.color);
    const ratio = contrast(ink, behind(el));
    if (ratio < 4.5) fault("contrast is " + ratio.toFixed(2) + ", must be at least 4.5", el);
    if (parseFloat(s.fontSize) < (matchMedia("print").matches ? 9 : 10.5)) fault("text of " + s.fontSize, el);
  }
  for (const selector of [".clear", ".noise", ".dot", ".exact", ".tick"])
    for (const el of all("figure svg " + selector)) {
      const ratio = contrast(parse(getComputedStyle(el).stroke), behind(el));
      if (ratio < 3) { fault("contrast of " + selector + " is " + ratio.toFixed(2) + ", must be at least 3"); break; }
    }
  const dark = light(behind(document.body)) < .2;
  if (dark !== (matchMedia("(prefers-color-scheme: dark)").matches && !matchMedia("print").matches)) fault("the paper does not follow the scheme");

  // Nothing is loaded, and no script is needed.
  if (all("script, iframe, object, embed, link[rel=stylesheet], img").filter(el => !loads || el.href !== loads).length) fault("the page has a script or loads something");
  if (/url\(|@import/.test(all("style").map(s => s.textContent).join())) fault("the style loads something");
  return JSON.stringify(faults);
})

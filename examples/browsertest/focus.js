// Returns where the focus is among all that can be used, and what keeps somebody from seeing that.
(() => {
  const usable = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter(el => el.type !== "radio" || el.checked); // Tab leads to a group once, arrows within it
  const el = document.activeElement, at = usable.indexOf(el), fault = [];
  const where = el.tagName.toLowerCase() + " “" + (el.textContent || el.value || "").trim().slice(0, 40) + "”";
  const r = el.getBoundingClientRect(), s = getComputedStyle(el);
  if (r.width < 1 || r.height < 1 || r.right <= 0 || r.left >= innerWidth || r.bottom <= 0 || r.top >= innerHeight) fault.push(where + " has the focus and is not on the screen");
  if (s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 2) fault.push(where + " has the focus and no outline");
  const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(x => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const [x, y] = [light(s.outlineColor), light(getComputedStyle(document.body).backgroundColor)].sort((p, q) => q - p);
  if ((x + .05) / (y + .05) < 3) fault.push(where + " has the focus and an outline that is hard to see");
  return { At: at, Last: at === usable.length - 1, Fault: fault };
})()

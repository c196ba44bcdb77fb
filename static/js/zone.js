// Times in the zone of their reader. The server draws a page in the zone that the person has chosen,
// or in that of the browser, which it knows by a cookie of this script. What it has cached for all
// readers is in the zone of the site, and so is a page before the cookie is there: their exact
// times are rewritten here. Only tooltips change, so nothing moves. A page that has dates or times of
// day in its text (data-in-zone), in another zone than that of the browser, is loaded again.

const page = document.documentElement;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Returns whether the browser has another cookie now. The name is that of the server, which may
// begin with __Host-.
function storeZone(name) {
  const isStored = () => document.cookie.split("; ").includes(`${name}=${own}`);
  if (isStored()) return false;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${own}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  return isStored();
}

// A page is loaded again only when its cookie has changed, so never twice, and never where cookies
// are refused. The answer to a form would be sent again, and a message that is shown once would be
// gone.
function isWrong() {
  const once = "posted" in page.dataset || document.querySelector("[data-once]");
  return page.dataset.zone !== own && !once && document.querySelector("[data-in-zone]");
}

// Writes a moment as the server does: Nov 29, 2026, 2:14:05 PM GMT-05:00 (Eastern Standard Time).
function exactIn(timeZone) {
  const moment = format(timeZone, { dateStyle: "medium", timeStyle: "medium" });
  const offset = format(timeZone, { timeZoneName: "longOffset" });
  const name = format(timeZone, { timeZoneName: "long" });
  const part = (style, date) =>
    style.formatToParts(date).find((each) => each.type === "timeZoneName").value;
  return (date) => {
    const [short, long] = [part(offset, date), part(name, date)];
    return `${moment.format(date)} ${short} (${long === short ? timeZone : long})`;
  };
}

function format(timeZone, options) {
  return new Intl.DateTimeFormat(page.lang, { timeZone, ...options });
}

function rewriteTimes(zone) {
  const times = Array.from(document.querySelectorAll("time[title]")).filter(
    (time) => time.closest("[data-zone]").dataset.zone !== zone,
  );
  if (!times.length) return;
  const exact = exactIn(zone);
  for (const time of times) time.title = exact(new Date(time.dateTime));
}

const chosen = "zoneChosen" in page.dataset;
const changed = own && storeZone(page.dataset.zoneCookie);
if (changed && !chosen && isWrong()) location.reload();
else rewriteTimes(chosen ? page.dataset.zone : (own ?? page.dataset.zone));

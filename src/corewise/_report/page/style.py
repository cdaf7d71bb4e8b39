"""The style sheet of the HTML page: light and dark by the reader's own setting, a table on a desk, cards on a phone."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --sheet: #ffffff; --ink: #1d2126; --quiet: #5b6470; --line: #e3e1da;
  --bar: #7d95b5; --best: #1f8a5b; --best-ground: #eaf6f0; --bad: #b3372c; --note: #8a5a00; --note-ground: #fdf5e3;
  --alarm-ground: #fdecea; --track: #f1efe9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --sheet: #1b1f25; --ink: #e6e8eb; --quiet: #9aa4b1; --line: #2d333c;
    --bar: #6f88aa; --best: #4cc38a; --best-ground: #16291f; --bad: #ff8f84; --note: #e2b34c; --note-ground: #2a2415;
    --alarm-ground: #351b19; --track: #232932;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 0 0 .35rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.facts { list-style: none; margin: 0; padding: 0; color: var(--quiet); font-size: .9rem; overflow-wrap: anywhere; }
.facts li { display: inline; }
.facts li + li::before { content: "\\00a0\\00b7  "; }
section {
  background: var(--sheet);
  border: 1px solid var(--line);
  border-radius: 12px;
  padding: 1.5rem 1.5rem 1.25rem;
  margin-top: 1.5rem;
}
.choice {
  background: var(--best-ground);
  border-left: 4px solid var(--best);
  border-radius: 6px;
  padding: .7rem 1rem;
  margin: 1.1rem 0;
}
.choice strong { color: var(--best); }
.alarm {
  background: var(--alarm-ground);
  border: 2px solid var(--bad);
  border-radius: 6px;
  padding: .8rem 1rem;
  margin: 1.1rem 0;
}
.alarm h3 { margin: 0 0 .3rem; font-size: 1.05rem; color: var(--bad); }
.alarm dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .4rem 0 0; }
.alarm dt { color: var(--quiet); }
.alarm dd { margin: 0; overflow-wrap: anywhere; }
.notes { list-style: none; margin: 1.1rem 0 0; padding: 0; }
.notes li {
  background: var(--note-ground);
  border-left: 4px solid var(--note);
  border-radius: 6px;
  padding: .5rem 1rem;
  margin-top: .5rem;
  font-size: .93rem;
}
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
thead th {
  font-weight: 500;
  font-size: .82rem;
  color: var(--quiet);
  text-align: right;
  padding: .3rem .55rem;
  border-bottom: 1px solid var(--line);
}
tbody th, tbody td {
  padding: .5rem .55rem;
  text-align: right;
  border-bottom: 1px solid var(--line);
  white-space: nowrap;
}
tbody tr:last-child > * { border-bottom: 0; }
thead th:first-child, tbody th { text-align: left; padding-left: 0; }
tbody th { font-weight: 600; }
th small, td small { color: var(--quiet); font-weight: 400; font-size: .82rem; }
th small { display: block; white-space: normal; }
tbody .picture { text-align: left; }
.picture { width: 30%; min-width: 7rem; }
thead th { white-space: nowrap; }
thead .picture { text-align: left; }
.bar { display: block; width: 100%; height: 1.05rem; }
.bar .track { fill: var(--track); }
.bar .median { fill: var(--bar); }
.bar .spread { stroke: var(--ink); stroke-width: 1.5; fill: none; opacity: .75; }
.best .bar .median { fill: var(--best); }
.best th, .gain { color: var(--best); }
.best small.mark { color: var(--best); }
.loss, .failed { color: var(--bad); }
.skipped { color: var(--note); }
.gain, .loss { font-weight: 600; }
.verdicts { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.1rem; margin: 1.1rem 0 0; }
.verdicts dt { font-weight: 600; }
.verdicts dd { margin: 0; max-width: 44rem; overflow-wrap: anywhere; }
.verdicts .use { color: var(--quiet); }
.lesson tbody th, .lesson tbody td { white-space: normal; text-align: left; vertical-align: top; }
.lesson thead th { text-align: left; }
.lesson tbody th { white-space: nowrap; }
footer { color: var(--quiet); font-size: .88rem; margin-top: 1.5rem; }
@media (max-width: 56rem) {
  main { padding: 1.5rem .75rem 2rem; }
  section { padding: 1.1rem 1rem; }
  table, tbody, tbody tr, tbody th, tbody td { display: block; width: 100%; }
  .figures tbody tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 1.75rem; }
  .figures tbody th, .figures tbody .picture { grid-column: 1 / -1; }
  .figures tbody .picture { order: -1; }
  .figures tbody th { order: -2; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { border-bottom: 1px solid var(--line); padding: .7rem 0; }
  tbody tr:last-child { border-bottom: 0; }
  tbody th, tbody td { border: 0; padding: .1rem 0; text-align: left; }
  .figures tbody td:not(.picture) { display: flex; justify-content: space-between; gap: 1rem; }
  .figures tbody td:not(.picture)::before, .lesson tbody td::before {
    content: attr(data-head);
    font-weight: 400;
    color: var(--quiet);
    font-size: .88rem;
  }
  .lesson tbody td::before { display: block; }
  .lesson tbody td { padding: .25rem 0; }
  .picture { width: 100%; padding: .3rem 0 !important; }
  .verdicts { grid-template-columns: 1fr; gap: 0; }
  .verdicts dd { margin-bottom: .7rem; }
}
@media print { body { background: none; } section { break-inside: avoid; } }
"""

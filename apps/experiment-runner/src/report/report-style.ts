/** The report's style sheet: light and dark, one column, tables that scroll by themselves on a narrow screen. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --soft: #666; --rule: #ddd;
  --c0: #1f6fb4; --c1: #c8541a; --c2: #2c8a3c; --c3: #8a4bb0; --c4: #b3232f; --c5: #6b5b3e; --c6: #0b8a8a; --c7: #a3780a; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #e6e6e6; --soft: #9a9a9a; --rule: #363a42;
  --c0: #6db3f2; --c1: #f0935f; --c2: #76c983; --c3: #c69be6; --c4: #f07f88; --c5: #c9b68f; --c6: #5fcfcf; --c7: #e0bb55; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { margin: .5rem 0; } h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
.note, figcaption { color: var(--soft); font-size: .9rem; } p, li, h1, h2, h3 { overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wrap { white-space: normal; min-width: 9rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 0 2rem; } .pair > section { min-width: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: right; font-weight: normal; }
thead th { color: var(--soft); white-space: normal; vertical-align: bottom; } .words td, .words thead th { text-align: left; } th:first-child { text-align: left; }
h3 { margin: 1.2rem 0 .2rem; font-size: 1rem; } h3 + p { margin: 0 0 .4rem; }
td.best { font-weight: bold; } td.hit { font-weight: bold; background: color-mix(in srgb, var(--c2) 25%, transparent); }
figure { margin: 0; } figure > svg { width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 16px; } .grid { stroke: var(--rule); }
polyline { fill: none; stroke-width: 2; }
${[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `polyline.c${i}, line.c${i} { stroke: var(--c${i}); } circle.c${i} { fill: var(--c${i}); } polygon.b${i} { fill: var(--c${i}); opacity: .15; }`).join('\n')}
polyline.d1, line.d1 { stroke-dasharray: 8 4; } polyline.d2, line.d2 { stroke-dasharray: 2 3; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; list-style: none; }
.legend svg { width: 16px; height: 10px; margin-right: .4rem; } .legend line { stroke-width: 3; }
pre { overflow-x: auto; padding: .7rem; border: 1px solid var(--rule); border-radius: .3rem; font-size: .8rem; }
tbody tr:hover { background: color-mix(in srgb, var(--rule) 40%, transparent); }
summary { cursor: pointer; margin: .3rem 0; }
@media (max-width: 40rem) { body { font-size: 15px; } th, td { padding: .25rem .45rem; } figure > svg { min-width: 34rem; } figure { overflow-x: auto; } }
@media print { :root { --ground: #fff; --ink: #000; --soft: #444; --rule: #bbb; } main { max-width: none; padding: 0; }
  details::details-content { content-visibility: visible; block-size: auto; } pre { white-space: pre-wrap; } .wide { overflow: visible; } table { font-size: .75rem; white-space: normal; }
  figure, tr { break-inside: avoid; } h2 { break-after: avoid; } }
`;

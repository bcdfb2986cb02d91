/** The look of the sandbox's pages. Inline, so that a page is one response and works without anything else. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5a6575;--line:#d5dbe3;--paper:#fff;--ground:#eef1f5;--accent:#0b5cad;
--accent-ink:#fff;--tint:#eaf3fc;--bad:#a3211b;--bad-tint:#fdeeed}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a3adbb;--line:#3a4452;--paper:#1d232c;--ground:#12161c;
--accent:#6db3f8;--accent-ink:#0b1a2a;--tint:#1f3247;--bad:#ff9d96;--bad-tint:#3a1f1e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{width:100%;max-width:30rem;background:var(--paper);border:1px solid var(--line);border-radius:.9rem;padding:1.75rem;
box-shadow:0 1px 2px rgb(0 0 0/.05),0 12px 32px rgb(0 0 0/.07)}
.brand{margin:0 0 1rem;color:var(--soft);font-size:.875rem}
.brand b{color:var(--ink)}
h1{margin:0 0 .5rem;font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:0 0 1rem}
.soft{color:var(--soft)}
.alert{padding:.65rem .85rem;border-radius:.5rem;background:var(--bad-tint);color:var(--bad)}
fieldset{margin:1.25rem 0;padding:0;border:0;min-width:0}
legend{padding:0;margin-bottom:.5rem;font-weight:600}
label{display:grid;grid-template-columns:auto 1fr;gap:0 .75rem;align-items:center;padding:.6rem .85rem;border:1px solid var(--line);
cursor:pointer;margin-top:-1px}
label:first-of-type{border-radius:.6rem .6rem 0 0}
label:last-of-type{border-radius:0 0 .6rem .6rem}
label:hover{background:var(--ground)}
label:has(:checked){background:var(--tint)}
label:has(:focus-visible){outline:3px solid var(--accent);outline-offset:1px;position:relative}
input{grid-row:span 2;width:1.1rem;height:1.1rem;margin:0;accent-color:var(--accent)}
input:focus-visible{outline:0}
small{color:var(--soft);font-size:.8125rem}
.actions{display:flex;gap:.75rem}
button{flex:1;padding:.7rem 1rem;font:inherit;font-weight:600;border-radius:.6rem;border:1px solid var(--line);background:transparent;
color:var(--ink);cursor:pointer}
button.allow{background:var(--accent);border-color:var(--accent);color:var(--accent-ink)}
button:hover{filter:brightness(.95)}
button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
footer{margin-top:1.25rem;color:var(--soft);font-size:.8125rem;overflow-wrap:anywhere}
`;

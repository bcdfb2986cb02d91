/** The look of our pages. Inline, so that a page is one response and works without anything else. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#1b2230;--soft:#596375;--line:#d8dde5;--paper:#fff;--ground:#f1f3f7;--accent:#2747c7;
--accent-ink:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e9edf4;--soft:#a6b0bf;--line:#38414f;--paper:#1c222b;--ground:#11151b;
--accent:#93a9ff;--accent-ink:#10182b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{width:100%;max-width:28rem;background:var(--paper);border:1px solid var(--line);border-radius:.9rem;padding:2rem 1.75rem;
box-shadow:0 1px 2px rgb(0 0 0/.05),0 12px 32px rgb(0 0 0/.07)}
h1{margin:0 0 .75rem;font-size:1.4rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:0 0 1rem;overflow-wrap:anywhere}
.brand,.soft{color:var(--soft);font-size:.9rem}
.user{font-weight:600}
button{width:100%;padding:.8rem 1rem;font:inherit;font-weight:600;border:0;border-radius:.6rem;background:var(--accent);
color:var(--accent-ink);cursor:pointer}
button:hover{filter:brightness(1.08)}
button:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
form{margin:1.5rem 0 1rem}
main>:last-child{margin-bottom:0}
`;

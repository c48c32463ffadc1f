"""The HTML page around a document: one file, no request to anywhere, light and dark, any width."""

from __future__ import annotations

import html

from agentgym_gen.study.document import Document, attribute

CSS = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2330;--soft:#5b6675;--line:#e3e7ee;--card:#f6f8fb;
--pos:#2563c9;--neg:#c45a0c;--good:#0d7a45;--bad:#b3261e;--mark:#2563c9}
@media(prefers-color-scheme:dark){:root{--bg:#12161d;--fg:#e6eaf1;--soft:#9aa6b6;--line:#2b3340;
--card:#1a2029;--pos:#79aaff;--neg:#f3a05c;--good:#5fd39a;--bad:#ff8a80;--mark:#79aaff}}
*{box-sizing:border-box}html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",
Roboto,sans-serif}
main{max-width:1060px;margin:0 auto;padding:2rem 1.2rem 5rem}
h1{font-size:2rem;line-height:1.2;margin:.2rem 0 .6rem;letter-spacing:-.02em}
h2{font-size:1.35rem;margin:3rem 0 .8rem;padding-top:1rem;border-top:1px solid var(--line);
letter-spacing:-.01em}h3{font-size:1rem;margin:1.4rem 0 .4rem}
p,ul{max-width:72ch}a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:2px}
code{font-size:.9em;background:var(--card);padding:.1em .3em;border-radius:4px}
.note,figcaption{color:var(--soft);font-size:.86rem;max-width:85ch}
.lead{font-size:1.1rem;color:var(--soft);margin-top:0}
nav{display:flex;flex-wrap:wrap;gap:.4rem;margin:1.2rem 0}
nav a{border:1px solid var(--line);border-radius:99px;padding:.18rem .8rem;font-size:.86rem;
text-decoration:none}nav a:hover{border-color:var(--mark)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:.7rem;margin:1.4rem 0}
.facts div{background:var(--card);border-radius:10px;padding:.7rem .9rem}
.facts b{display:block;font-size:1.35rem;letter-spacing:-.02em}.facts span{color:var(--soft);
font-size:.82rem}
figure{margin:1.1rem 0 1.8rem}.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:10px}
figcaption{margin-top:.5rem}
table{border-collapse:collapse;font-size:.86rem;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.45rem .6rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
tbody tr:last-child>*{border-bottom:0}
th{font-weight:600;text-align:right}th[scope=row],thead th:first-child{text-align:left;position:sticky;
left:0;background:var(--bg);min-width:7.5rem;max-width:15rem;z-index:1}
thead th{color:var(--soft);font-size:.78rem;vertical-align:bottom}
td small{display:block;color:var(--soft);font-size:.74rem;white-space:nowrap}
td a{text-decoration:none}td a:hover{text-decoration:underline}
.heat td{text-align:center;min-width:5.6rem;border:2px solid var(--bg);border-radius:8px}
.heat td small{color:inherit;opacity:.75}.heat td.own{outline:2px solid var(--fg);outline-offset:-4px}
td.sure{font-weight:700}
.claims td{text-align:left;min-width:9rem}.claims th[scope=row]{min-width:2.6rem}
.claims td small{white-space:normal;margin-top:.2rem}
.claims td:nth-child(2){min-width:15rem}
td.good,td.bad,td.open,td.none{font-weight:600;min-width:6rem!important}
td.good,b.good{color:var(--good)}td.bad,b.bad{color:var(--bad)}td.open,td.none{color:var(--soft)}
.forest{background:var(--card);border-radius:10px;padding:.9rem 1rem}
.forest .row{display:grid;grid-template-columns:minmax(9rem,17rem) 1fr minmax(9.5rem,auto);gap:.8rem;
align-items:center;font-size:.86rem;padding:.16rem 0}
.forest .track{position:relative;height:1.3rem}.forest i{position:absolute;display:block}
.forest .axis{top:-.2rem;bottom:-.2rem;width:1px;background:var(--soft);opacity:.5}
.forest .span{top:50%;height:4px;margin-top:-2px;border-radius:2px;background:var(--soft);opacity:.55}
.forest .dot{top:50%;width:11px;height:11px;margin:-5.5px 0 0 -5.5px;border-radius:50%;
background:var(--soft)}
.forest .pos i.span,.forest .pos i.dot{background:var(--pos)}
.forest .neg i.span,.forest .neg i.dot{background:var(--neg)}
.forest .plain i.span,.forest .plain i.dot{background:var(--mark)}
.forest .value{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.forest .sure .value{font-weight:700}.forest figcaption{margin-top:.6rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:.8rem}
.panels svg{width:100%;height:auto;background:var(--card);border-radius:10px;padding:.3rem}
svg text{font:11px system-ui,sans-serif;fill:var(--fg)!important}.grid{stroke:var(--line)}
details{border:1px solid var(--line);border-radius:10px;margin:.4rem 0;padding:.1rem .9rem}
details:target{border-color:var(--mark)}summary{cursor:pointer;padding:.5rem 0;font-size:.92rem}
summary small{color:var(--soft);margin-left:.4rem}
.talk{margin:.4rem 0 1.2rem}.talk .head{font-size:.82rem;color:var(--soft);margin:.6rem 0}
.seen,.said{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,SFMono-Regular,
Menlo,Consolas,monospace;border-radius:12px;padding:.5rem .75rem;margin:.3rem 0;width:fit-content;
max-width:86%}.seen{background:var(--card)}
.said{margin-left:auto;background:rgba(37,110,220,.16)}.said.wrong{background:rgba(226,110,20,.2)}
.said.wrong::after{content:" not possible";font-size:11px;opacity:.7}
.gap{color:var(--soft);font-size:.82rem;text-align:center}
@media(max-width:640px){body{font-size:15px}main{padding:1.2rem .9rem 4rem}h1{font-size:1.55rem}
.forest .row{grid-template-columns:1fr auto;row-gap:.1rem;padding:.3rem 0}
.forest .track{grid-column:1/-1;grid-row:2;height:1.1rem}th[scope=row]{max-width:9.5rem}
th,td{padding:.4rem .45rem}}
@media print{nav,details:not([open]){display:none}h2{break-after:avoid}figure{break-inside:avoid}}
"""

SCRIPT = (
    "const o=()=>{const e=document.getElementById(decodeURIComponent(location.hash.slice(1)));"
    "if(e&&e.tagName==='DETAILS'){e.open=true;e.scrollIntoView()}};"
    "addEventListener('hashchange',o);o();"
)
"""Opens the conversation that a link leads to; without it the page only lacks that."""


def to_page(document: Document) -> str:
    """Return *document* as a page of its own."""
    title = html.escape(document.title)
    links = "".join(
        f'<a href="#{attribute(heading.anchor)}">{html.escape(heading.text)}</a>'
        for heading in document.headings()
    )
    body = "\n".join(filter(None, (block.to_html() for block in document.blocks)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{title}</title><link rel="icon" href="data:,"><style>{CSS}</style></head>\n'
        f"<body><main><h1>{title}</h1><nav>{links}</nav>\n{body}\n</main>"
        f"<script>{SCRIPT}</script></body></html>\n"
    )

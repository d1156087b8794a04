/**
 * The only style sheet. It is inline, so that a page is complete with its first response. Light or dark follows the
 * system's setting.
 */
export const STYLE = `
:root{color-scheme:light dark;--ground:#f6f6f3;--card:#fff;--ink:#1c1d21;--soft:#62656e;--line:#e3e3dd;--accent:#3b55d9;
--archived:#1f8f5f;--running:#3b6fe0;--queued:#cfd0cb;--failed:#cf3a3a;--held:#c47f10;--cancelled:#8b8f99;
--warn-ground:#fdf3e0;--warn-line:#eccf97;--shadow:0 1px 2px rgb(0 0 0/.05)}
@media (prefers-color-scheme:dark){:root{--ground:#131417;--card:#1c1e22;--ink:#ececee;--soft:#9ea2ac;--line:#2d3037;
--accent:#93a5ff;--archived:#3fbf86;--running:#6c9cff;--queued:#41444c;--failed:#f27474;--held:#e5ab48;--cancelled:#777c88;
--warn-ground:#2c2415;--warn-line:#5d4a22;--shadow:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.6rem;background:var(--card);padding:.3rem .6rem}
header,main,footer{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{display:flex;align-items:center;gap:1.25rem;padding-top:1.1rem;padding-bottom:1.1rem}
header nav{display:flex;gap:1.1rem;margin-left:auto;align-items:center}
header nav a{color:var(--soft)}
.mark{display:flex;white-space:nowrap;gap:.55rem;align-items:center;font-weight:650;letter-spacing:-.01em;color:var(--ink)}
.mark svg{width:1.35rem;height:1.35rem}
.live{font-size:.8rem;color:var(--soft);display:inline-flex;gap:.4rem;align-items:center}
.live::before{content:"";width:.5rem;height:.5rem;border-radius:50%;background:var(--cancelled)}
.live[data-state=on]::before{background:var(--archived)}
.live[data-state=off]::before{background:var(--held)}
h1{font-size:1.55rem;letter-spacing:-.02em;line-height:1.25;margin:.4rem 0 1.1rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;letter-spacing:-.01em;margin:2.2rem 0 .8rem}
h3{font-size:1.05rem;margin:0;overflow-wrap:anywhere}
.crumb{font-size:.9rem;color:var(--soft);margin:.5rem 0 0}
#findings:not(:empty){margin-top:.75rem}
.title{display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));gap:.75rem;margin:0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.75rem .95rem;box-shadow:var(--shadow)}
.tile{min-width:0}
.tile dt{color:var(--soft);font-size:.82rem}
.tile dd{margin:.1rem 0 0;font-size:1.35rem;font-weight:620;letter-spacing:-.02em;line-height:1.3}
.tile small{display:block;font-size:.8rem;font-weight:400;letter-spacing:0;color:var(--soft)}
.batches{list-style:none;margin:0;padding:0;display:grid;gap:.75rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1rem 1.1rem;box-shadow:var(--shadow)}
.card .top{display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}
.card .top .count{margin-left:auto;color:var(--soft)}
.card .top .count b{color:var(--ink);font-weight:620}
.chip{font-size:.76rem;font-weight:600;padding:.1rem .55rem;border-radius:1rem;border:1px solid currentColor;color:var(--soft);white-space:nowrap}
.chip.running{color:var(--running)}.chip.done{color:var(--archived)}.chip.trouble{color:var(--held)}
.bar{display:block;width:100%;height:.6rem;border-radius:.3rem;margin:.7rem 0 .6rem;background:var(--queued);overflow:hidden}
.bar .archived{fill:var(--archived)}.bar .running{fill:var(--running)}.bar .failed{fill:var(--failed)}
.bar .held{fill:var(--held)}.bar .cancelled{fill:var(--cancelled)}
.states{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;margin:0;padding:0;list-style:none;font-size:.88rem;color:var(--soft)}
.states li{display:flex;align-items:center;gap:.4rem}
.states li::before{content:"";width:.6rem;height:.6rem;border-radius:.18rem;background:var(--queued)}
.states .archived::before{background:var(--archived)}.states .running::before{background:var(--running)}
.states .failed::before{background:var(--failed)}.states .held::before{background:var(--held)}
.states .cancelled::before{background:var(--cancelled)}
.states .plain::before{display:none}
.lanes{width:100%;border-collapse:collapse;font-size:.88rem}
.lanes th,.lanes td{text-align:left;padding:.45rem 1rem .45rem 0;vertical-align:baseline}
.lanes th:last-child,.lanes td:last-child{padding-right:0}
.lanes thead th{color:var(--soft);font-size:.82rem;font-weight:400;padding-top:0}
.lanes tbody tr{border-top:1px solid var(--line)}.lanes tbody tr:last-child>*{padding-bottom:0}
.lanes tbody th{font-weight:400}.lanes b{font-weight:620;overflow-wrap:anywhere}.lanes small{color:var(--soft)}
.note{background:var(--warn-ground);border:1px solid var(--warn-line);border-radius:.75rem;padding:.8rem 1rem;margin:0 0 1rem;overflow-wrap:anywhere}
.note.critical{border-color:var(--failed)}
.note small{color:var(--soft)}
.failures{display:grid;gap:.75rem}
.failures details{background:var(--card);border:1px solid var(--line);border-radius:.75rem;box-shadow:var(--shadow)}
.failures summary{padding:.8rem 1.1rem;cursor:pointer}
.failures summary b{margin-right:.5rem}
.failures summary .chip{margin-right:.6rem}
.failures .why{color:var(--soft)}
.failures ul{margin:0;padding:0 1.1rem .9rem;list-style:none}
.failures li{border-top:1px solid var(--line);padding:.6rem 0;overflow-wrap:anywhere}
.failures li:last-child{padding-bottom:0}
.failures li div{color:var(--soft);font-size:.88rem}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:.75rem;margin:0;padding:0;list-style:none}
.pictures li{min-width:0}
.pictures figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow:hidden;box-shadow:var(--shadow)}
.pictures img{display:block;width:100%;aspect-ratio:4/3;object-fit:cover;background:var(--queued)}
.pictures figcaption{padding:.45rem .7rem .55rem;font-size:.82rem;color:var(--soft);white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.pictures a{display:block}
@media (prefers-reduced-motion:no-preference){.pictures .recent{animation:land .5s ease-out}@keyframes land{from{opacity:0;transform:scale(.94)}}}
.empty{color:var(--soft);background:var(--card);border:1px dashed var(--line);border-radius:.75rem;padding:2rem 1.2rem;text-align:center}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,monospace;background:color-mix(in srgb,var(--ink) 7%,transparent);padding:.1em .35em;border-radius:.3em}
footer{color:var(--soft);font-size:.82rem;padding-top:2.5rem;padding-bottom:2rem;overflow-wrap:anywhere}
@media (max-width:52rem){.lanes thead{display:none}.lanes,.lanes tbody{display:block}.lanes tbody tr{display:grid;grid-template-columns:1fr 1fr;
gap:.2rem 1rem;padding:.6rem 0}.lanes tbody tr:first-child{border-top:0;padding-top:0}.lanes tbody tr:last-child{padding-bottom:0}.lanes tbody th,.lanes tbody td{display:block;padding:0}
.lanes tbody th{grid-column:1/-1}.lanes td::before{content:attr(data-label);display:block;color:var(--soft);font-size:.76rem}}
@media (max-width:34rem){header{flex-wrap:wrap;gap:.5rem 1rem}header nav{order:3;width:100%;margin:0;gap:1.2rem}.live{margin-left:auto}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}.tile:last-child:nth-child(odd){grid-column:1/-1}
.card .top .count{margin-left:0;width:100%}.pictures{grid-template-columns:repeat(2,minmax(0,1fr))}}
`;

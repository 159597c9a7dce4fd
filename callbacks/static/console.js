/* The console in the browser: what the server's pages cannot do alone. Without it every page still works.

   Each module minds one thing: `live` brings parts of the page up to date, `place` keeps the reader's place while it
   does, `connection` says when the line does not answer, `keeping` keeps half-typed texts, `alerts` sounds, `keys`
   lets single keys press the page's own buttons. htmx asks and swaps; nothing here makes up what a page says. */

import { beginAlerts } from "./alerts.js";
import { beginClaim } from "./claim.js";
import { beginConnection } from "./connection.js";
import { beginKeeping } from "./keeping.js";
import { beginKeys } from "./keys.js";
import { beginLive, refreshAll } from "./live.js";
import { beginPlace } from "./place.js";

document.documentElement.classList.add("scripted");
beginKeeping();
beginPlace();
beginConnection(refreshAll);
beginClaim();
beginAlerts();
beginKeys();
beginLive();

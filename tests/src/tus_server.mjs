// A drop zone that nobody here wrote: `@tus/server` with `@tus/file-store`, behind TLS 1.3, for one client known by its key.
//
// Everything that is tus is answered by `@tus/server`. What only Sluis has is answered here: the list of uploads is always
// empty, letters are taken and thrown away, and none comes. One line of JSON on standard error for each upload that is made
// and for each answer.
//
// Arguments: the folder of the packages, host:port, the folder of the credentials, the SHA-256 of the client's public key,
// the folder of the uploads, the path, and options: `location` (relative or absolute), `lose` (so many bytes of an upload
// are lost, once, between the HEAD and the PATCH that goes on).
import { createHash } from "node:crypto";
import { readFileSync, statSync, truncateSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, listen, credentials, pin, directory, path, given] = process.argv.slice(2);
const options = JSON.parse(given);
const { resolve } = createRequire(join(packages, "here"));
const load = (name) => import(pathToFileURL(resolve(name)).href);
const { Server } = await load("@tus/server");
const { FileStore } = await load("@tus/file-store");

const tell = (line) => console.error(JSON.stringify(line));
const files = `${path}/files`;
const relativeLocation = options.location !== "absolute";
const tus = new Server({ path: files, datastore: new FileStore({ directory }), relativeLocation });
tus.on("POST_CREATE", (_, upload, location) => tell({ method: "created", upload: upload.id, location }));

function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(body);
}

/** What is of Sluis and not of tus; false where it is tus. */
function own(request, response, url) {
  const { pathname, searchParams } = url;
  if (request.method === "GET" && pathname === files) {
    json(response, 200, "[]");
  } else if (request.method === "GET" && pathname === `${path}/mailbox`) {
    const none = setTimeout(() => json(response, 200, '{"letters":[]}'), 1000 * searchParams.get("wait"));
    response.on("close", () => clearTimeout(none));
  } else if (request.method === "PUT" && pathname.startsWith(`${path}/mailbox/`)) {
    request.resume().on("end", () => response.writeHead(201).end());
  } else {
    return false;
  }
  return true;
}

/** An operator put yesterday's bytes back, just now. */
function lose(upload) {
  const file = join(directory, upload);
  truncateSync(file, statSync(file).size - options.lose);
  delete options.lose;
}

function serve(request, response) {
  const url = new URL(request.url, `https://${listen}`);
  const { method, headers } = request;
  const upload = url.pathname.startsWith(`${files}/`) ? url.pathname.slice(files.length + 1) : null;
  const from = headers["upload-offset"] === undefined ? null : Number(headers["upload-offset"]);
  const tls = request.socket.getProtocol();
  response.on("close", () => {
    const status = response.headersSent ? response.statusCode : null;
    tell({ method, path: url.pathname, upload, from, status, tls });
  });
  if (own(request, response, url)) return;
  if (method === "PATCH" && from > 0 && options.lose) lose(upload);
  tus.handle(request, response);
}

const server = createServer({
  cert: readFileSync(join(credentials, "tls-certificate")),
  key: readFileSync(join(credentials, "tls-key")),
  minVersion: "TLSv1.3",
  requestCert: true,
  rejectUnauthorized: false, // Certificates are self-signed: who is let in is decided by the key.
}, serve);
server.on("secureConnection", (socket) => {
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  if (key && createHash("sha256").update(key).digest("hex") === pin) return;
  tell({ method: "refused" });
  socket.destroy();
});
const [host, port] = listen.split(":");
server.listen(Number(port), host);

// A network's message centre (SMPP 3.4) that does as it is told: the far side of Kannel.
// node smsc.mjs FOLDER: listens on a free port of loopback, writes it to FOLDER/port, one JSON line for each message
// it takes to FOLDER/taken.jsonl, and reads its mood from FOLDER/mood before each:
//   deliver   takes it, and reports DELIVRD
//   reject    refuses it: ESME_RINVDSTADR
//   lose      takes it, and cuts the connection before it answers; the next ones it delivers
//   fail      takes it, and reports UNDELIV
//   silent    takes it, and never reports
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, modules] = process.argv.slice(2);
const smpp = createRequire(modules + "/")("smpp");
let count = 0;
let lost = false;

function mood() {
  try {
    return readFileSync(folder + "/mood", "utf8").trim();
  } catch {
    return "deliver";
  }
}

function report(session, pdu, id, state) {
  const text = String(pdu.short_message.message ?? "").slice(0, 20);
  session.deliver_sm({
    esm_class: 4,
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    short_message:
      `id:${id} sub:001 dlvrd:001 submit date:2611230000 done date:2611230001 stat:${state} err:000 text:${text}`,
  });
}

function submit(session, pdu) {
  const now = mood();
  if (now === "reject") {
    session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
    return;
  }
  const id = `SIM${++count}`;
  const line = {
    to: pdu.destination_addr,
    text: String(pdu.short_message.message ?? ""),
    coding: pdu.data_coding,
    segments: pdu.short_message.udh ? 2 : 1,
    report: pdu.registered_delivery !== 0,
  };
  appendFileSync(folder + "/taken.jsonl", JSON.stringify(line) + "\n");
  if (now === "lose" && !lost) {
    lost = true;
    session.socket.destroy();
    return;
  }
  session.send(pdu.response({ message_id: id }));
  if (now === "silent") return;
  setTimeout(() => report(session, pdu, id, now === "fail" ? "UNDELIV" : "DELIVRD"), 50);
}

const server = smpp.createServer({}, (session) => {
  session.on("error", () => {});
  session.socket.on("error", () => {});
  for (const bind of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) {
    session.on(bind, (pdu) => session.send(pdu.response({ system_id: "sim" })));
  }
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", (pdu) => submit(session, pdu));
});
server.listen(0, "127.0.0.1", () => {
  writeFileSync(folder + "/port.new", String(server.address().port));
  renameSync(folder + "/port.new", folder + "/port");
});

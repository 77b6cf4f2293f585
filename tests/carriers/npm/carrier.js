// Somebody else's SMSC: takes every message, answers with an id, reports it delivered.
//
//   node carrier.js FILE [--hex] [--delay-ms N]
//
// Prints its port, then writes one JSON line to FILE for each submit_sm, before it answers.  With
// --hex the ids of its answers are hexadecimal; those of its receipts are decimal always.

"use strict";

const fs = require("fs");
const smpp = require("smpp");

const args = process.argv.slice(2);
const hex = args.includes("--hex");
const delayAt = args.indexOf("--delay-ms");
const delayMs = delayAt < 0 ? 20 : Number(args[delayAt + 1]);
const log = fs.openSync(args[0], "a");

let lastId = 1000;

function stamp() {
  return new Date().toISOString().replace(/[-:T]/g, "").slice(2, 12);
}

function receipt(id, submit) {
  const now = stamp();
  return new smpp.PDU("deliver_sm", {
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    source_addr_ton: submit.dest_addr_ton,
    source_addr_npi: submit.dest_addr_npi,
    source_addr: submit.destination_addr,
    dest_addr_ton: submit.source_addr_ton,
    dest_addr_npi: submit.source_addr_npi,
    destination_addr: submit.source_addr,
    short_message:
      `id:${id} sub:001 dlvrd:001 submit date:${now} done date:${now}` +
      ` stat:DELIVRD err:000 text:${"x".repeat(20)}`,
  });
}

function submitted(session, submit) {
  lastId += 1;
  const id = lastId;
  const { message, udh } = submit.short_message;
  fs.writeSync(
    log,
    JSON.stringify({
      id: String(id),
      to: submit.destination_addr,
      from: submit.source_addr,
      data_coding: submit.data_coding,
      udh: udh ? udh.map((element) => element.toString("hex")) : [],
      message: Buffer.isBuffer(message) ? message.toString("hex") : message,
      payload: submit.message_payload ? submit.message_payload.message : null,
    }) + "\n",
  );
  session.send(submit.response({ message_id: hex ? id.toString(16) : String(id) }));
  if (submit.registered_delivery & 1) {
    setTimeout(() => session.send(receipt(id, submit)), delayMs);
  }
}

const server = smpp.createServer((session) => {
  for (const name of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) {
    session.on(name, (bind) => {
      const known = bind.system_id === "shop" && bind.password === "secret";
      const status = known ? smpp.ESME_ROK : smpp.ESME_RBINDFAIL;
      session.send(bind.response({ command_status: status, system_id: "npm" }));
    });
  }
  session.on("submit_sm", (submit) => submitted(session, submit));
  session.on("enquire_link", (enquire) => session.send(enquire.response()));
  session.on("unbind", (unbind) => session.send(unbind.response(), () => session.close()));
  session.on("error", () => session.close());
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));

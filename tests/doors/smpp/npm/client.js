// Somebody else's SMPP client: binds, submits what it is told, and says what it heard.
//
//   node client.js PORT KIND LOGIN PASSWORD
//
// Each line of its input is a JSON object of submit_sm fields; each line of its output is one of
// {"bound": status}, {"id": …, "status": …, "phone": …} and {"from": …, "text": …, "receipt": …}.

"use strict";

const readline = require("readline");
const smpp = require("smpp");

const [port, kind, login, password] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));

const session = smpp.connect({ url: `smpp://127.0.0.1:${port}`, auto_enquire_link_period: 1000 });

session.on("connect", () => {
  session[`bind_${kind}`]({ system_id: login, password }, (pdu) => {
    say({ bound: pdu.command_status });
    readline.createInterface({ input: process.stdin }).on("line", (line) => {
      const fields = JSON.parse(line);
      session.submit_sm(fields, (answer) =>
        say({ id: answer.message_id, status: answer.command_status, phone: fields.destination_addr }),
      );
    });
  });
});

session.on("deliver_sm", (pdu) => {
  const payload = pdu.message_payload && pdu.message_payload.message;
  say({
    from: pdu.source_addr,
    text: pdu.short_message.message || payload,
    receipt: pdu.receipted_message_id || null,
    state: pdu.message_state === undefined ? null : pdu.message_state,
  });
  session.send(pdu.response());
});

session.on("error", () => process.exit(1));
session.on("close", () => process.exit(0));

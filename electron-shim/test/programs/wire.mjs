// Content-Length framing for the fixture programs.

export function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  process.stdout.write(`Content-Length: ${body.length}\r\n\r\n`);
  process.stdout.write(body);
}

/** Calls back for each message; `ended` when stdin ends. */
export function receive(heard, ended = () => process.exit(0)) {
  let buffer = Buffer.alloc(0);
  process.stdin.on("data", (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (;;) {
      const head = buffer.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(buffer.subarray(0, head).toString())[1]);
      if (buffer.length < head + 4 + length) return;
      const body = buffer.subarray(head + 4, head + 4 + length);
      buffer = buffer.subarray(head + 4 + length);
      heard(JSON.parse(body.toString()));
    }
  });
  process.stdin.on("end", ended);
}

export const INTRODUCTION = { server: { name: "fixture", version: "0" }, protocol_version: 1 };

/** Answers `initialize`, and what else there is in `answers`. */
export function serve(answers = {}, ended) {
  receive((message) => {
    const answer = { initialize: () => INTRODUCTION, ping: () => ({}), ...answers }[message.method];
    const result = answer?.(message);
    if (result !== undefined) send({ id: message.id, result });
  }, ended);
}

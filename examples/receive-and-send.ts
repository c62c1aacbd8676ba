/**
 * The library in a page: a server that takes a message, and a client that sends it one.
 * Run it from a checkout: `npx node examples/receive-and-send.ts`.
 */
import { createClient, createServer, refuse } from 'postrider'

const server = createServer({
  message: ({ envelope, content }) => {
    const [to] = envelope.recipients
    console.log(`${content.length} octets for ${to?.forwardPath.local}`)
  },
  policy: {
    rcpts: (_peer, _envelope, recipients) =>
      recipients.map(({ forwardPath }) =>
        forwardPath.domain === 'example.org'
          ? { kind: 'accept' as const }
          : refuse(550, '1.1', 'only example.org lives here'),
      ),
  },
})
const port = await server.listen()

const client = createClient({ host: '127.0.0.1', port })
const { outcomes } = await client.send({
  from: 'ann@example.net',
  to: ['joe@example.org', 'eve@example.com'],
  content: Buffer.from('Subject: hello\r\n\r\nA short one.\r\n'),
})
for (const { kind, status, reason } of outcomes) console.log(kind, status, reason)
await server.close()

/**
 * What somebody would write with smtp-server who wants to lose nothing: a message is written, synced, and renamed into a
 * Maildir before it is answered. Run by smtp-server.ts: node smtp-server-program.ts PACKAGE FOLDER KEY CERTIFICATE PORT LMTP-PORT.
 */
import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

type Callback = (error: Error | null, text?: string) => void

/** As much of its interface as is used; the package is installed when the bench runs. */
interface Package {
  readonly SMTPServer: new (options: object) => { listen(port: number, host: string): void }
}

const [home = '', folder = '', key = '', cert = '', ...ports] = process.argv.slice(2)
const { SMTPServer } = createRequire(join(home, 'package.json'))('smtp-server') as Package
let count = 0

for (const [at, port] of ports.entries()) {
  const lmtp = at === 1
  new SMTPServer({
    ...{ key: readFileSync(key), cert: readFileSync(cert) },
    ...{ lmtp, authOptional: true, disableReverseLookup: true, logger: false },
    size: 104_857_600,
    maxClients: 10_000,
    onData: (stream: Readable, _session: unknown, done: Callback) => {
      keep(stream).then(() => done(null, 'kept'), done)
    },
  }).listen(Number(port), '127.0.0.1')
}

async function keep(stream: Readable): Promise<void> {
  const name = `${Date.now()}.${process.pid}_${count++}.bench`
  const file = await open(join(folder, 'tmp', name), 'wx')
  try {
    for await (const octets of stream) await file.write(octets as Buffer)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(join(folder, 'tmp', name), join(folder, 'new', name))
}

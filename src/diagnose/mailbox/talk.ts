/** One connection to a POP3 or IMAP server, from the connect to the goodbye. Called by diagnose.ts. Never rejects. */
import type { Host } from '../../transport/hosts.ts'
import { silent } from '../../world/log.ts'
import type { SecureOptions } from '../../world/net.ts'
import { pump } from '../../world/pump.ts'
import type { DisklessWorld } from '../../world/world.ts'
import { connectTo, secureNow } from '../connecting.ts'
import type { Talk, TlsWish } from '../talk.ts'
import { Transcript } from '../transcript.ts'
import { imapScript, MailboxSession, pop3Script, type Shown } from './session.ts'

export interface MailboxTalk extends Pick<Talk, 'transcript' | 'connect' | 'tlsFault'> {
  readonly shown: Shown
}

export interface MailboxTalkOptions {
  readonly host: Host
  readonly port: number
  readonly protocol: 'pop3' | 'imap'
  readonly tls: TlsWish
  readonly roots?: string
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  readonly wholeTimeoutMs: number
}

export async function mailboxTalk(
  world: DisklessWorld,
  options: MailboxTalkOptions,
): Promise<MailboxTalk> {
  const { host, tls, protocol, roots } = options
  const transcript = new Transcript(world.clock)
  const shown: Shown = {}
  const { connection, ...connect } = await connectTo(world, options, transcript)
  if (connection === undefined) return { transcript, connect, shown }
  // Any certificate will do to look at: it is judged from what it says, and no password is sent.
  const secure: SecureOptions = {
    side: 'client',
    servername: host.name,
    trust: 'opportunistic',
    chain: true,
    ...(roots === undefined ? {} : { roots }),
  }
  const late = world.clock.after(options.wholeTimeoutMs, () => {
    shown.trouble ??= 'it took too long'
    connection.destroy()
  })
  try {
    if (tls === 'implicit') {
      const tlsFault = await secureNow(connection, secure, transcript)
      if (tlsFault !== undefined) return { transcript, connect, shown, tlsFault }
    }
    const script = protocol === 'pop3' ? pop3Script : imapScript
    const startTls = tls === 'implicit' ? 'on' : tls === 'starttls' ? 'try' : 'no'
    let fault: string | undefined
    await pump<never, never>({
      connection,
      clock: world.clock,
      log: silent,
      role: { ask: () => undefined as never, failed: () => undefined as never },
      identity: () => secure,
      lingerMs: 5_000,
      onClosed: error => {
        fault = error?.message
      },
      session: sink =>
        new MailboxSession(sink, {
          shown,
          transcript,
          patienceMs: options.replyTimeoutMs,
          script: say => script(shown, say, startTls),
        }),
    }).closed
    const why = shown.trouble ?? fault
    const inHandshake = fault !== undefined && transcript.tls === undefined && shown.clear
    if (why !== undefined && (inHandshake || why.startsWith('clear text came'))) {
      return { transcript, connect, shown, tlsFault: why }
    }
    if (why !== undefined) shown.trouble = why
    return { transcript, connect, shown }
  } finally {
    late.cancel()
  }
}

/**
 * A town for tests of the SMTP transport: a domain with as many hosts as there are scripts, each a
 * fake-server.ts, and us, in a simulated internet.
 */
import { parseStoredAddress } from '../../src/mail/address.ts'
import type { Outcome } from '../../src/mail/outcome.ts'
import type { Route } from '../../src/route/route.ts'
import { FakeServer, type Script } from '../../src/transport/fake-server.ts'
import { type SmtpTransportSettings, smtpTransport } from '../../src/transport/smtp.ts'
import type { Carried, Load, Transport } from '../../src/transport/transport.ts'
import { createWorld, type Internet } from '../../src/world/sim/index.ts'
import type { World } from '../../src/world/world.ts'

export interface Town {
  readonly internet: Internet
  readonly world: World
  readonly transport: Transport
  readonly servers: readonly FakeServer[]
  carry(load?: Load, route?: Route): Promise<Carried>
}

/** x.test with one MX host for each script, the first preferred most, and us. */
export async function town(
  scripts: readonly Script[],
  settings: Partial<SmtpTransportSettings> = {},
): Promise<Town> {
  const internet = createWorld({ seed: 1 })
  const us = internet.host({ name: 'us.test', addresses: ['192.0.2.1'] })
  const servers: FakeServer[] = []
  for (const [at, script] of scripts.entries()) {
    const host = internet.host({ name: `mx${at}.test`, addresses: [`198.51.100.${at + 1}`] })
    const server = new FakeServer(script)
    await internet.complete(server.listen(host.world))
    servers.push(server)
  }
  internet.zones.set('x.test', { mx: scripts.map((_script, at) => [at, `mx${at}.test`] as const) })
  const transport = smtpTransport(us.world, {
    hostname: 'us.test',
    isOurself: name => name === 'us.test',
    ...settings,
  })
  return {
    internet,
    world: us.world,
    transport,
    servers,
    carry: (work = load(['b@x.test']), route = { kind: 'mx', domain: 'x.test' }) =>
      internet.complete(transport.carry(work, route)),
  }
}

/** A message from us to some. */
export function load(recipients: readonly string[], text = 'Subject: x\r\n\r\nhello\r\n'): Load {
  const octets = Buffer.from(text)
  return {
    id: 'm1',
    envelope: {
      sender: { reversePath: parseStoredAddress('a@us.test'), body: '7BIT', utf8: false },
      recipients: recipients.map(text => ({ forwardPath: parseStoredAddress(text) })),
    },
    sizeOctets: octets.length,
    head: octets.subarray(0, 12),
    bodyKey: 1,
    content: () => octets,
  }
}

/** Outcomes in a few words, such as `deferred 4.4.2 in doubt mx0.test`. */
export function short({ outcomes }: Carried): string {
  const one = (outcome: Outcome) =>
    `${outcome.kind} ${outcome.status}${outcome.kind === 'deferred' && outcome.inDoubt ? ' in doubt' : ''}${outcome.host === undefined ? '' : ` ${outcome.host}`}`
  return outcomes.map(one).join(', ')
}

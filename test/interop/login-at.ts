/** Our client's login at some server of SMTP, without a message: by which mechanism, or why not. */
import type { Credentials } from '../../src/sasl/mechanism.ts'
import { timeouts } from '../../src/smtp/client/state.ts'
import { openHop } from '../../src/transport/hop.ts'
import { tlsPolicy } from '../../src/transport/tls-policy.ts'
import { silent } from '../../src/world/log.ts'
import { nodeGss } from '../../src/world/node/gss.ts'
import { nodeClock, nodeDns, nodeNet, nodeRandom, nodeStretch } from '../../src/world/node/index.ts'

const world = {
  ...{ clock: nodeClock, random: nodeRandom, net: nodeNet, dns: nodeDns(), log: silent },
  gss: nodeGss({}),
  stretch: nodeStretch,
}

/** @param name what the host is called, in tickets too */
export async function loginAt(port: number, name: string, login: Credentials): Promise<string> {
  const opened = await openHop(world, {
    ...{ host: { name, address: '127.0.0.1' }, port, hostname: 'client.test', protocol: 'smtp' },
    ...{ tls: tlsPolicy('opportunistic'), login, connectTimeoutMs: 10_000 },
    timeouts: timeouts(20_000),
  })
  if (opened.kind === 'trouble') return opened.trouble.reason
  const { facts } = opened.hop
  opened.hop.leave()
  await opened.hop.goodbye
  return facts?.login ?? 'no login'
}

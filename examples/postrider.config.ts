/**
 * A config as a small site would have it. Every setting with its default: docs/configuration.md.
 * Try it: postrider check --config examples/postrider.config.ts --config-only
 */
import { defer, defineConfig, refuse } from 'postrider'

/** The greeting names that only broken or dishonest clients use. */
const OWN_NAMES = ['mail.example.org', '192.0.2.25']

export default defineConfig({
  hostname: 'mail.example.org',
  user: 'postrider',
  domains: ['example.org', { name: 'example.net', catchAll: 'joe@example.org' }],
  aliases: {
    'team@example.org': ['joe@example.org', 'ann@example.org', 'bob@example.com'],
    'sales@example.org': 'ann@example.org',
  },
  addresses: { postmaster: 'joe@example.org' },
  limits: { messageSize: '35MB' },
  queue: { delayWarning: '2h', expire: '3d' },
  hooks: {
    // Nobody else has our name.
    hello: ({ peer }) =>
      OWN_NAMES.includes(peer.hello) ? refuse(550, '7.1', 'That is my name') : undefined,
    // Deliveries to this address are welcome in office hours only.
    rcpt: ({ recipient }) => {
      const hour = new Date().getUTCHours()
      const closed = hour < 7 || hour > 18
      return closed && recipient.forwardPath.local === 'office'
        ? defer(450, '2.1', 'The office is closed, try again in the morning')
        : undefined
    },
    // Mail for the partner goes over the private line.
    route: ({ domain }) =>
      domain === 'partner.example'
        ? { kind: 'smarthost', host: '10.8.0.2', port: 25, tls: 'opportunistic' }
        : undefined,
  },
})

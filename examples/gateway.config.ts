/**
 * A config with routes: several providers, a gateway that is no TCP host, files, and mail that must not leave.
 * Try it: postrider check --config examples/gateway.config.ts --config-only
 */
import { defineConfig } from 'postrider'

export default defineConfig({
  hostname: 'mail.example.org',
  user: 'postrider',
  domains: ['example.org'],
  // Not ours, and taken from anybody: the rules carry it on.
  relayDomains: ['node.nje'],
  outbound: {
    hops: {
      // Mail written as one of these addresses goes by their own provider.
      work: {
        host: 'smtp.work.example',
        username: 'joe',
        password: 'a secret, or { env: "NAME" }',
        senders: ['joe@work.example', '@team.work.example'],
      },
      // Two relays of equal weight, and one behind them.
      east: { host: 'east.relay.example', port: 25, tls: 'require', weight: 1 },
      west: { host: 'west.relay.example', port: 25, tls: 'require', weight: 1 },
      backup: { host: 'backup.relay.example', port: 25, tls: 'opportunistic' },
      // No host: to everybody's own hosts, but under another name and from another address.
      news: {
        hostname: 'news.example.org',
        sourceAddress: '192.0.2.8',
        senders: ['*@news.example.org'],
      },
      lists: { host: '/run/lists/lmtp', protocol: 'lmtp' },
    },
  },
  routes: [
    { match: { recipient: '*@lists.example.org' }, to: { hop: 'lists' } },
    {
      match: { recipient: '@node.nje' },
      to: {
        pipe: {
          argv: ['/usr/bin/uux', '-', '-r', '-a{sender}', '{node}!rmail', '({user})'],
          fromLine: 'mail',
        },
      },
    },
    { match: { recipient: 'archive@example.org' }, to: { maildir: '/var/lib/postrider-archive' } },
    {
      match: { recipient: 'remote', header: { subject: '*[internal]*' } },
      to: { reject: { text: 'what is marked [internal] stays in the house' } },
    },
    { match: { recipient: 'remote', size: '>25MB' }, to: { hold: 'large: ask the postmaster' } },
    {
      match: { recipient: 'remote', source: ['submission', '10.0.0.0/8'] },
      to: { hop: ['east', 'west', 'backup'] },
    },
  ],
})

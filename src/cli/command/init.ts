/** `init`: writes a first config, with what is most often changed in it and nothing else. */
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { configsIn, currentFolder } from '../../world/node/config-file.ts'
import { createFile } from '../../world/node/new-file.ts'
import { CommandError, EXIT } from '../exit.ts'
import { type Face, print } from '../face.ts'

interface InitOptions {
  readonly hostname?: string
  readonly domain?: string
  readonly data?: string
  readonly smarthost?: string
  readonly json?: boolean
}

export function addInit(program: Command, face: Face): void {
  program
    .command('init [folder]')
    .description('write a first postrider.config.ts')
    .option('--hostname <name>', "this server's name, the one its address points back to")
    .option('--domain <name>', 'the domain to take mail for')
    .option('--data <folder>', 'the data folder')
    .option('--smarthost <host:port>', 'send all outgoing mail by this host')
    .option('--json', 'print JSON')
    .action((folder: string | undefined, options: InitOptions) => {
      const place = resolve(currentFolder(), folder ?? '.')
      const [present] = configsIn(place)
      if (present !== undefined) {
        throw new CommandError(EXIT.cantCreate, `${present} is there already and was left as it is`)
      }
      const file = join(place, 'postrider.config.ts')
      const hostname = options.hostname ?? face.terminal.hostname()
      const problem = createFile(file, configText({ ...options, hostname }))
      if (problem !== undefined) throw new CommandError(EXIT.cantCreate, `${file}: ${problem}`)
      const domain = options.domain ?? 'example.org'
      print(
        face,
        options,
        { file },
        () =>
          `${file}\nnext:\n` +
          `  postrider check --config-only\n  postrider start\n  postrider account add you@${domain}\n`,
      )
    })
}

/** The config as a person would have written it. */
export function configText(options: InitOptions): string {
  const lines = [
    "import { defineConfig } from 'postrider'",
    '',
    '// Every setting with its default: docs/configuration.md. `postrider check` finds mistakes.',
    'export default defineConfig({',
    '  // Our name in greetings: the one that the reverse DNS of our address gives.',
    `  hostname: ${quote(options.hostname ?? 'mail.example.org')},`,
    `  domains: [${quote(options.domain ?? 'example.org')}],`,
  ]
  if (options.data !== undefined) lines.push(`  data: ${quote(options.data)},`)
  lines.push(
    '  // The certificate that clients see, read again when it changes; without it one is made.',
    `  // tls: { certificate: '/etc/letsencrypt/live/NAME/fullchain.pem', key: '/etc/letsencrypt/live/NAME/privkey.pem' },`,
  )
  if (options.smarthost !== undefined) {
    lines.push(`  outbound: { smarthost: ${quote(options.smarthost)} },`)
  }
  lines.push('})', '')
  return lines.join('\n')
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}

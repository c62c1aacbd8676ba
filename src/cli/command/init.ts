/** `init`: writes a first config, with what is most often changed in it and nothing else. */
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import { settingErrors } from '../../server/settings/errors.ts'
import { settingsSchema } from '../../server/settings/settings.ts'
import { configsIn, currentFolder } from '../../world/node/config-file.ts'
import { createFile } from '../../world/node/new-file.ts'
import { isRoot } from '../../world/node/process.ts'
import { EXIT } from '../exit.ts'
import { type Face, path, print } from '../face.ts'

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
    .option('--data <folder>', 'the data folder', path)
    .option('--smarthost <host:port>', 'send all outgoing mail by this host')
    .option('--json', 'print JSON')
    .action((folder: string | undefined, options: InitOptions) => {
      const place = resolve(currentFolder(), folder ?? '.')
      const [present] = configsIn(place)
      if (present !== undefined) {
        throw new ExitError(EXIT.cantCreate, `${present} is there already and was left as it is`)
      }
      const file = join(place, 'postrider.config.ts')
      const hostname = options.hostname ?? face.terminal.hostname()
      refuseFaults({ ...options, hostname })
      const problem = createFile(file, configText({ ...options, hostname }))
      if (problem !== undefined) throw new ExitError(EXIT.cantCreate, `${file}: ${problem}`)
      print(face, options, { file }, () => `${file}\n${nextSteps(options)}`)
    })
}

/** What is written is right: the schema that will read it is asked, and each fault named by its option. */
function refuseFaults({ hostname, domain, data, smarthost }: InitOptions): void {
  const parsed = settingsSchema.safeParse({
    hostname,
    ...(domain !== undefined && { domains: [domain] }),
    ...(data !== undefined && { data }),
    ...(smarthost !== undefined && { outbound: { smarthost } }),
  })
  if (parsed.success) return
  const faults = settingErrors(settingsSchema, parsed.error.issues).map(({ path, message }) => {
    const option = /^domains/.test(path) ? 'domain' : (path.split('.').at(-1) ?? path)
    return `--${option}: ${message}`
  })
  throw new ExitError(EXIT.usage, faults.join('\n'))
}

function nextSteps({ domain = 'example.org' }: InitOptions): string {
  const root = isRoot() ? '  write `user` there: whom the server becomes when root starts it\n' : ''
  const commands = ['check --config-only', 'start', `account add you@${domain}`]
  return `next:\n${root}${commands.map(each => `  bin/postrider ${each}\n`).join('')}`
}

/** The config as a person would have written it. */
export function configText(options: InitOptions): string {
  const lines = [
    "import { defineConfig } from 'postrider'",
    '',
    '// Every setting with its default: docs/configuration.md. `bin/postrider check` finds mistakes.',
    'export default defineConfig({',
    '  // Our name in greetings: the one that the reverse DNS of our address gives.',
    `  hostname: ${quote(options.hostname ?? 'mail.example.org')},`,
    `  domains: [${quote(options.domain ?? 'example.org')}],`,
  ]
  lines.push(
    '  // Queue, mailboxes, keys and sockets; `user` must be able to write there.',
    options.data === undefined
      ? "  // data: '/var/lib/postrider',"
      : `  data: ${quote(options.data)},`,
    '  // Whom the server becomes once its ports are bound, when root starts it.',
    "  // user: 'postrider',",
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

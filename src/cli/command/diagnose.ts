/**
 * `diagnose`: looks at a domain, an address or a server as a sender meets it, or at our own from the config, and says
 * what is wrong and what to do (src/diagnose). Sends no message. The exit code is that of the worst fault.
 */
import { type Command, Option } from 'commander'
import type { Trade } from '../../diagnose/catalogue.ts'
import { type DiagnoseOptions, diagnose } from '../../diagnose/diagnose.ts'
import { type Section, worstOf } from '../../diagnose/finding.ts'
import { type Plan, type PlanFlags, planOf } from '../../diagnose/plan.ts'
import type { TlsWish } from '../../diagnose/talk.ts'
import { ExitError } from '../../server/exit-error.ts'
import { parseMailbox } from '../../smtp/path.ts'
import { parseFingerprint } from '../../wire/fingerprint.ts'
import { parseDuration } from '../../wire/measure.ts'
import { silent } from '../../world/log.ts'
import { readText } from '../../world/node/config-file.ts'
import { nodeDns } from '../../world/node/dns.ts'
import { nodeNet } from '../../world/node/net.ts'
import { nodeRandom } from '../../world/node/random.ts'
import { addressesOf } from '../../world/node/reach.ts'
import { nodeStretch } from '../../world/node/stretch.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face } from '../face.ts'
import { ownServer } from '../own-server.ts'
import { json } from '../print.ts'
import { showSection, showSummary } from '../show-diagnosis.ts'
import { passwordFrom } from './account.ts'

interface DiagnoseFlags extends CommonOptions {
  readonly port?: string
  readonly tls?: TlsWish
  readonly host?: boolean
  readonly own?: boolean
  readonly from?: string
  readonly to?: readonly string[]
  readonly relay?: string | true
  readonly user?: string
  readonly passwordFile?: string
  readonly ca?: string
  readonly insecure?: boolean
  readonly pin?: readonly string[]
  readonly selector?: readonly string[]
  readonly hello?: string
  readonly dns?: string
  readonly timeout: string
  readonly show?: boolean
}

/** Nobody's, for ever (RFC 2606). Give one of yours where a server looks foreign domains up first. */
const ELSEWHERE = 'nobody@relay-test.invalid'

const several = (value: string, all: readonly string[] = []) => [...all, value]

export function addDiagnose(program: Command, face: Face): void {
  common(
    program
      .command('diagnose [host-or-address]')
      .description(
        'look at a domain, an address or a server, or at our own, and say what is wrong',
      ),
  )
    .option(
      '--port <port>',
      'this port of the host; 465 speaks TLS first, 110, 995, 143, 993 are mailboxes',
    )
    .addOption(
      new Option('--tls <how>', 'how to secure it').choices(['starttls', 'implicit', 'never']),
    )
    .option('--host', 'the name is a host: its MX records do not count')
    .option('--own', 'the server is mine: ask for postmaster and abuse, and be strict')
    .option('--to <address>', 'would a named host take mail for it? may be repeated', several)
    .option('--from <address>', 'the sender of the probe; else the null one')
    .option('--relay [address]', 'with --own: would it carry mail for strangers, to this address?')
    .option('--user <name>', 'log in')
    .option('--password-file <file>', 'with the password in this file (- is standard input)')
    .option('--ca <file>', 'trust the certificates of this file')
    .option('--insecure', 'give the password to whatever certificate')
    .option('--pin <sha256>', 'its certificate has this fingerprint; may be repeated', several)
    .option('--selector <name>', 'look up the DKIM key of this selector; may be repeated', several)
    .option('--hello <name>', 'what to call ourselves')
    .option('--dns <server>', 'ask this name server, as ADDRESS or ADDRESS:PORT')
    .option('--timeout <duration>', 'how long to wait for each answer', '30s')
    .option('--show', 'print what was said, also where nothing is wrong')
    .action((subject: string | undefined, flags: DiagnoseFlags) => run(face, subject, flags))
}

async function run(face: Face, subject: string | undefined, flags: DiagnoseFlags): Promise<void> {
  const options = await optionsOf(face, subject, flags)
  const world = {
    clock: face.clock,
    random: nodeRandom,
    net: nodeNet,
    dns: nodeDns(flags.dns === undefined ? {} : { servers: [flags.dns] }),
    log: silent,
    stretch: nodeStretch,
  }
  const sections: Section[] = []
  const tell = (section: Section) => face.terminal.out(showSection(section, flags.show === true))
  // Of one's own server there is much to tell: in short first.
  const inShort = subject === undefined
  for await (const section of diagnose(world, options)) {
    sections.push(section)
    if (flags.json !== true && !inShort) tell(section)
  }
  if (flags.json !== true && inShort) {
    face.terminal.out(showSummary(sections))
    sections.forEach(tell)
  }
  const { severity, trade } = worstOf(sections)
  const exit = severity === 'fault' && trade !== undefined ? exitOf[trade] : EXIT.ok
  if (flags.json === true) face.terminal.out(json({ subject, worst: severity, exit, sections }))
  face.terminal.setExit(exit)
}

/** What kind of trouble is which exit code. */
const exitOf: Readonly<Record<Trade, number>> = {
  name: EXIT.noHost,
  reach: EXIT.unavailable,
  later: EXIT.tempFail,
  protocol: EXIT.protocol,
  tls: EXIT.protocol,
  permission: EXIT.noPermission,
  recipient: EXIT.noUser,
}

async function optionsOf(
  face: Face,
  subject: string | undefined,
  flags: DiagnoseFlags,
): Promise<DiagnoseOptions> {
  const { from, relay, selector: selectors, insecure } = flags
  const timeoutMs = parseDuration(flags.timeout)
  if (timeoutMs === undefined) throw new ExitError(EXIT.usage, '--timeout: such as 30s or 5m')
  for (const address of [from, relay, ...(flags.to ?? [])]) {
    if (typeof address !== 'string' || address === '' || parseMailbox(address)) continue
    throw new ExitError(EXIT.usage, `${address} is no address`)
  }
  const own = flags.own === true || subject === undefined
  if (relay !== undefined && !own) {
    throw new ExitError(EXIT.usage, '--relay is for your own server: say --own too')
  }
  const ours = subject === undefined ? await ownServer(face, flags) : undefined
  return {
    plan: ours?.plan ?? (await planned(subject ?? '', flags)),
    hostname: flags.hello ?? face.terminal.hostname(),
    own,
    replyTimeoutMs: timeoutMs,
    connectTimeoutMs: Math.min(timeoutMs, 10_000),
    wholeTimeoutMs: 4 * timeoutMs,
    ...(ours && { ours: ours.names }),
    ...(from !== undefined && { from }),
    ...(relay !== undefined && { relayTo: relay === true ? ELSEWHERE : relay }),
    ...(selectors && { selectors }),
    ...(insecure && { anyCertificate: true }),
    ...(flags.tls && { tls: flags.tls }),
    ...(flags.pin && { pins: flags.pin.map(pinOf) }),
    ...(flags.ca !== undefined && { roots: rootsOf(flags.ca) }),
    ...(flags.user !== undefined && { login: await loginOf(face, flags.user, flags) }),
  }
}

async function planned(subject: string, flags: DiagnoseFlags): Promise<Plan> {
  const { port, tls, host, own } = flags
  const planFlags: PlanFlags = {
    ...(port !== undefined && { port: Number(port) }),
    ...(tls && { tls }),
    ...(host && { isHost: true }),
    ...(own && { own: true }),
  }
  const plan = planOf(subject, planFlags)
  if (plan === undefined) {
    throw new ExitError(EXIT.usage, `${subject} is neither a host, a domain nor an address`)
  }
  // A name without a dot is one of this machine or network, which the DNS does not know.
  const servers = plan.servers.map(async server => {
    const [address] = /^[^.:]+$/.test(server.host) ? await addressesOf(server.host) : []
    return address === undefined ? server : { ...server, address }
  })
  const recipients = [...plan.recipients, ...(flags.to ?? [])]
  return { ...plan, servers: await Promise.all(servers), recipients }
}

function pinOf(text: string): string {
  const pin = parseFingerprint(text)
  if (pin !== undefined) return pin
  throw new ExitError(
    EXIT.usage,
    '--pin: 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them',
  )
}

function rootsOf(file: string): string {
  const read = readText(file)
  if ('text' in read) return read.text
  throw new ExitError(EXIT.noInput, `${file}: ${read.reason}`)
}

async function loginOf(face: Face, username: string, { passwordFile }: DiagnoseFlags) {
  const password =
    passwordFile === undefined
      ? await face.terminal.ask('Password: ', true)
      : ((await passwordFrom(face, { passwordFile })) as string)
  return { username, password }
}

/**
 * Every written dialogue, with its octets bent: bits flipped, pieces taken out, put in, doubled, cut off.
 * A server session answers any octets the same however they are cut, in whole lines and bounded memory; a
 * client session gives each message its outcomes exactly once, whatever it hears. Neither ever throws.
 * `POSTRIDER_FUZZ=100` bends each a hundred times as often.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Played, scene } from '../../src/smtp/client/scripted.ts'
import type { SessionSettings } from '../../src/smtp/server/question.ts'
import { parseNetwork } from '../../src/wire/network.ts'
import { seededRandom } from '../../src/world/sim/random.ts'
import { sessionSettings } from '../kit/smtp-settings.ts'
import { parseDialogue } from '../transcript/harness.ts'
import { bend } from './lab/bend.ts'
import { SmtpStage } from './smtp-stage.ts'

const FACTOR = Number(process.env['POSTRIDER_FUZZ'] ?? 1)
const MUTANTS = 4 * FACTOR

function filesOf(folder: string): readonly (readonly [string, string])[] {
  const place = new URL(`../transcript/${folder}/`, import.meta.url)
  return readdirSync(place)
    .filter(name => name.endsWith('.txt'))
    .sort()
    .map(name => [name.slice(0, -4), readFileSync(new URL(name, place), 'utf8')] as const)
}

interface Run {
  readonly replies: readonly string[]
  readonly messages: readonly string[]
  readonly closed: boolean
}

/** One server session that hears these octets, and then nothing more. */
function serve(
  settings: SessionSettings,
  octets: Buffer,
  cuts: readonly number[],
  later: boolean,
): Run {
  const stage = new SmtpStage(settings, later)
  stage.say(octets, cuts)
  return { replies: stage.replies(), messages: stage.messages, closed: stage.closed }
}

function settingsOf(directives: readonly (readonly string[])[]): SessionSettings {
  const settings: Record<string, unknown> = { ...sessionSettings, startTls: true }
  for (const [word, name = '', ...rest] of directives) {
    if (word === 'setting') settings[name] = JSON.parse(rest.join(' '))
  }
  for (const name of ['xclientFrom', 'xforwardFrom']) {
    const networks = settings[name] as readonly unknown[]
    settings[name] = networks.map(one => (typeof one === 'string' ? parseNetwork(one) : one))
  }
  return settings as unknown as SessionSettings
}

test('a bent dialogue is answered the same however it is cut, and never breaks the server', () => {
  for (const [name, text] of filesOf('smtp')) {
    const { directives, steps } = parseDialogue(name, text)
    const settings = settingsOf(directives)
    const said = Buffer.concat(steps.flatMap(step => (step.kind === 'send' ? [step.octets] : [])))
    // What a dialogue of a megabyte would show is shown by a short one.
    if (said.length > 20_000) continue
    for (let number = 0; number < MUTANTS; number++) {
      const random = seededRandom(`${name} ${number}`)
      const octets = bend(said, random)
      const where = `${name}, mutant ${number}: ${JSON.stringify(octets.toString('latin1').slice(0, 2_000))}`
      const whole = serve(settings, octets, [], false)
      const pieces = [1 + random.below(9), 1 + random.below(90), 1 + random.below(3)]
      assert.deepEqual(serve(settings, octets, [1], false), whole, where)
      assert.deepEqual(serve(settings, octets, pieces, true), whole, where)
    }
  }
})

test('whatever a client hears instead of its dialogue, each message has its outcomes once', () => {
  for (const [name, text] of filesOf('smtp-client')) {
    const { settings, work, lines, lineEnd } = scene(text)
    // Groups of what the server says, between which the client speaks.
    const groups: Buffer[] = []
    let talking = false
    for (const line of lines) {
      const isServer = line.startsWith('S:')
      const octets = Buffer.from(isServer ? `${line.slice(2).trimStart()}${lineEnd}` : '')
      if (isServer && talking) groups.push(Buffer.concat([groups.pop() as Buffer, octets]))
      else if (isServer) groups.push(octets)
      talking = isServer
    }
    for (let number = 0; number < MUTANTS; number++) {
      const random = seededRandom(`${name} ${number}`)
      const bent = random.below(Math.max(1, groups.length))
      const played = new Played(settings, work)
      played.session.start()
      for (const [at, group] of groups.entries()) {
        const octets = at === bent ? bend(group, random) : group
        if (random.below(2) === 0) played.session.receive(octets)
        else for (const octet of octets) played.session.receive(Uint8Array.of(octet))
        if (played.log.includes('= secure')) played.happen('tls')
        played.log = []
        assert.ok(played.session.backlogOctets <= 65_536)
      }
      played.happen(['end', 'lost', 'expire'][random.below(3)] as string)
      // An expired QUIT, or one that was told to be waited for, is the end too.
      played.happen('lost')
      const given = played.questions.filter(({ kind }) => kind === 'ready').length
      const told = played.questions.filter(({ kind }) => kind === 'outcomes').length
      const where = `${name}, mutant ${number}: ${played.questions.map(({ kind }) => kind).join(' ')}`
      assert.equal(told, Math.min(given, work.filter(({ kind }) => kind === 'carry').length), where)
      const ends = played.questions.filter(
        question => question.kind !== 'ready' && 'trouble' in question,
      )
      assert.ok(ends.length <= 1, where)
    }
  }
})

/**
 * Replays dialogues of the SMTP client: `smtp-client/*.txt`, each named as a sentence, whole and octet
 * by octet. Their lines:
 *
 *     # prose; the first line names the RFC and its section
 *     @ word ...    what the session is made with (lmtp, starttls, tls [verified], login, plaintext-login, chunks, without), the
 *                   messages it is given in order (carry; whom it came from: forwarded), errands
 *                   (etrn, atrn, turn), a probe (its paths) or `quit`; `group`: a message is given as soon as it
 *                   may begin behind the one before; `whole`: never cut; `lf`: the
 *                   server ends its lines with LF alone
 *     S: text       the server's line; neighbouring ones arrive together; `\(300*ab)` stands for so many
 *                   of it, `\(300*|220-hi)` for so many lines
 *     C: text       what the client must have said by then, exactly and no more
 *     = word ...    what it must have announced or done: ready, outcomes, trouble, secure, close
 *     ! word        what happens: tls, lost, expire, end, quit, answer quit; hold: content leaves
 *                   but its end does not; hold 12: only so many octets of it do; finish: the rest does
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { play, scene } from '../../src/smtp/client/scripted.ts'

const folder = new URL('smtp-client/', import.meta.url)

for (const name of readdirSync(folder).filter(name => name.endsWith('.txt'))) {
  const written = scene(readFileSync(new URL(name, folder), 'utf8'))
  for (const cut of written.cuts) {
    test(`${name.slice(0, -4).replaceAll('-', ' ')} (${cut})`, () => {
      const { was, wanted } = play(written, cut)
      assert.equal(was, wanted)
    })
  }
}

/** The table as a part of `npm run bench`: who takes part, what is printed, and what goes into docs. */
import { type Contestant, type Field, gather } from '../contestants.ts'
import { machine } from '../machine.ts'
import { writeDocument } from './document.ts'
import type { Figure } from './figure.ts'
import { TABLE_DEEP, TABLE_FULL, TABLE_QUICK, table } from './table.ts'
import { toldLines } from './tell.ts'

export interface TableFlags {
  readonly quick: boolean
  readonly deep: boolean
  readonly docs: boolean
  /** Cells whose name holds it. */
  readonly only: string
  readonly pairs?: string | undefined
}

export async function tableCells(
  root: string,
  { quick, deep, docs, only, pairs }: TableFlags,
  withPostfix: boolean,
  say: (line: string) => void,
): Promise<void> {
  const full = deep ? TABLE_DEEP : TABLE_FULL
  const depth = {
    ...(quick ? TABLE_QUICK : full),
    ...(pairs === undefined ? {} : { rounds: Number(pairs) }),
  }
  let field: Field | undefined
  // Installing the others is left to the first cell that is wanted.
  const contestants = async (): Promise<readonly Contestant[]> => {
    if (field === undefined) {
      field = await gather(withPostfix)
      say(`\nthe table: ${namesOf(field).join(', ')}`)
      for (const why of field.missing) say(`skipped: ${why}`)
    }
    return field.contestants
  }
  const command = ['npm run bench --', ...process.argv.slice(2).map(quoted)].join(' ')
  const figures: Figure[] = []
  const whole = only === '' || only === 'table'
  // A look leaves out what takes longest, unless it is asked for by name.
  const wanted = (name: string) =>
    name.includes(only) && !(quick && whole && /^table (?:idle|growth)/.test(name))
  await table(root, contestants, depth, wanted, some => {
    for (const figure of some) {
      figures.push({ ...figure, command })
      for (const line of toldLines(figure)) say(line)
    }
  })
  if (!docs || figures.length === 0) return
  const others = field ? namesOf(field).filter(name => /\d/.test(name)) : []
  const where = [...(await machine()).split('\n'), others.join(', ')].filter(line => line !== '')
  writeDocument({ where, figures }, whole)
  say('\nwritten: docs/performance.md, docs/performance/')
}

function namesOf({ contestants }: Field): string[] {
  return contestants.map(({ name, version }) => `${name} ${version}`.trim())
}

function quoted(word: string): string {
  return word.includes(' ') ? `"${word}"` : word
}

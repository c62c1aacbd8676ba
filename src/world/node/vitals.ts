/** How the process itself is: CPU, memory, and how late its event loop runs. For /metrics. */
import { totalmem } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Vitals } from '../vitals.ts'

export interface Vital {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly values: readonly (readonly [labels: string, value: number])[]
}

/** Looks at the process; the event loop's delay is that since the last look. */
export function processVitals(): () => readonly Vital[] {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const seconds = (nanoseconds: number) => (Number.isNaN(nanoseconds) ? 0 : nanoseconds / 1e9)
  return () => {
    const cpu = process.cpuUsage()
    const { rss, heapUsed, heapTotal, external } = memory()
    const delays: Vital['values'] = [
      ['quantile="0.5"', seconds(delay.percentile(50))],
      ['quantile="0.99"', seconds(delay.percentile(99))],
      ['quantile="1"', seconds(delay.max)],
    ]
    delay.reset()
    return [
      one('counter', 'process_cpu_seconds_total', 'CPU used', (cpu.user + cpu.system) / 1e6),
      one('gauge', 'process_resident_memory_bytes', 'Resident memory', rss),
      one('gauge', 'heap_used_bytes', 'JavaScript heap in use', heapUsed),
      one('gauge', 'heap_total_bytes', 'JavaScript heap', heapTotal),
      one('gauge', 'external_memory_bytes', 'Memory held outside the heap', external),
      {
        kind: 'gauge',
        name: 'postrider_event_loop_delay_seconds',
        help: 'Between two turns of the event loop, since the last look; 20 ms are its own',
        values: delays,
      },
    ]
  }
}

/** What is looked at to see whether it is too much (world/vitals.ts): cheap, since it is asked often. */
export function processLoad(): Vitals {
  const { heap_size_limit: most } = getHeapStatistics()
  const constrained = process.constrainedMemory()
  const total = totalmem()
  const { rss, heapUsed } = memory()
  return {
    memoryOctets: rss,
    // Without a limit the system gives a number beyond all memory, or none.
    memoryMostOctets: constrained > 0 && constrained < total ? constrained : total,
    heapShare: heapUsed / most,
  }
}

let lastMemory: NodeJS.MemoryUsage = process.memoryUsage()

/** Without a free descriptor the system does not say it: then what it said last still holds. */
function memory(): NodeJS.MemoryUsage {
  try {
    lastMemory = process.memoryUsage()
  } catch {
    // EMFILE.
  }
  return lastMemory
}

function one(kind: Vital['kind'], name: string, help: string, value: number): Vital {
  return { kind, name: `postrider_${name}`, help, values: [['', value]] }
}

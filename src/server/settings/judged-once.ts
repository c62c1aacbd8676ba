/**
 * Schemas here judge one config, and are gone: zod's parsers of its own making (`new Function`) would cost more
 * than they save. Imported by judge.ts before any schema is made.
 */
import { z } from 'zod'

z.config({ jitless: true })

export { isZip, openZip, type ZipArchive } from './archive';
export type { MemberBytes, ZipMember } from './member';
export {
  type Discrepancy,
  type DiscrepancyKind,
  type ReadingRule,
  readers,
  readings,
  type SeenMember,
  type ZipReading,
  type ZipReadings,
} from './readings';

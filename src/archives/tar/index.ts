export { openTar, type TarArchive, type TarDiscrepancy, type TarDiscrepancyKind } from './archive';
export { isTar } from './header';
export type { TarMember, TarMemberKind } from './member';
export { isTorchTar } from './torch';

// Runs once before all tests: the readers import the compiled protobuf modules.
import { compileProtos } from './protos.mjs';

export async function setup() {
  await compileProtos();
}

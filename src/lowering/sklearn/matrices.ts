/** The inverse of a square matrix (row-major) by Gauss and Jordan with the largest pivot; undefined where there is none. */
export function invert(matrix: Float64Array, size: number): Float64Array | undefined {
  const a = Float64Array.from(matrix);
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(a[row * size + column]!) > Math.abs(a[pivot * size + column]!)) pivot = row;
    const value = a[pivot * size + column]!;
    if (!(Math.abs(value) > 0)) return undefined;
    for (const part of [a, inverse]) {
      for (let k = 0; k < size; k++) {
        const held = part[column * size + k]!;
        part[column * size + k] = part[pivot * size + k]! / value;
        if (pivot !== column) part[pivot * size + k] = held;
      }
    }
    for (let row = 0; row < size; row++) {
      const factor = a[row * size + column]!;
      if (row === column || factor === 0) continue;
      for (const part of [a, inverse])
        for (let k = 0; k < size; k++) part[row * size + k]! -= factor * part[column * size + k]!;
    }
  }
  return inverse;
}

/** log |matrix| of a positive definite matrix; undefined where it is none. */
export function choleskyLogDeterminant(matrix: Float64Array, size: number): number | undefined {
  const lower = new Float64Array(size * size);
  let sum = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) value -= lower[i * size + k]! * lower[j * size + k]!;
      if (i === j) {
        if (!(value > 0)) return undefined;
        lower[i * size + i] = Math.sqrt(value);
        sum += Math.log(value);
      } else lower[i * size + j] = value / lower[j * size + j]!;
    }
  }
  return sum;
}

/**
 * The pseudo-inverse (columns × rows) of a matrix of rows × columns by one-sided Jacobi rotations; singular values below the largest
 * times 2⁻⁵² times the larger side count as 0, as in `scipy.linalg.pinv`.
 */
export function pseudoInverse(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const wide = columns > rows;
  const [n, m] = wide ? [columns, rows] : [rows, columns];
  // The vectors to make orthogonal: the m columns of a tall matrix, each of length n.
  const u = Array.from({ length: m }, (_, j) =>
    Float64Array.from({ length: n }, (_, i) => (wide ? matrix[j * columns + i]! : matrix[i * columns + j]!)),
  );
  const v = Array.from({ length: m }, (_, j) => Float64Array.from({ length: m }, (_, i) => Number(i === j)));
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
    turned = false;
    for (let p = 0; p < m; p++) {
      for (let q = p + 1; q < m; q++) {
        const [alpha, beta, gamma] = [dot(u[p]!, u[p]!), dot(u[q]!, u[q]!), dot(u[p]!, u[q]!)];
        if (Math.abs(gamma) <= 1e-16 * Math.sqrt(alpha * beta) || gamma === 0) continue;
        turned = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cosine = 1 / Math.sqrt(1 + t * t);
        for (const part of [u, v]) rotate(part[p]!, part[q]!, cosine, cosine * t);
      }
    }
  }
  const squares = u.map((vector) => dot(vector, vector));
  const least = (Math.sqrt(Math.max(0, ...squares)) * 2 ** -52 * n) ** 2;
  const out = new Float64Array(columns * rows);
  u.forEach((vector, k) => {
    if (!(squares[k]! > least)) return;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        const term = (v[k]![j]! * vector[i]!) / squares[k]!;
        out[wide ? i * rows + j : j * rows + i]! += term;
      }
    }
  });
  return out;
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

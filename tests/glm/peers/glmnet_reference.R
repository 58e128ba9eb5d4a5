# Objectives that glmnet reaches on small generated problems, for test_glmnet.py.
#   Rscript tests/glm/peers/glmnet_reference.R > tests/glm/peers/glmnet_reference.csv
# Made with R 4 and glmnet 4.1-6 (Debian r-cran-glmnet).
suppressMessages(library(glmnet))
glmnet.control(fdev = 0, devmax = 1, epsnr = 1e-12, mxitnr = 1000)

lcg_problem <- function(n, p, k, seed) {
  stream <- numeric(n * p + 2 * n)
  state <- seed
  for (i in seq_along(stream)) {
    state <- (state * 16807) %% 2147483647
    stream[i] <- state / 2147483647
  }
  X <- matrix(stream[1:(n * p)], n, p, byrow = TRUE)
  Z <- X
  Z[, 2:p] <- X[, 2:p] + 0.5 * X[, 1:(p - 1)]
  noise <- stream[(n * p + 1):(n * p + n)]
  u <- 0.5 * (Z[, 1] + Z[, 3] - Z[, 5] + 0.5) + 0.4 * noise
  y <- pmax(pmin(trunc(k * u), k - 1), 0)
  y[1:k] <- 0:(k - 1)
  w <- floor(1 + 3 * stream[(n * p + n + 1):(n * p + 2 * n)])
  list(X = Z, y = y, w = w)
}

objective <- function(X, y, w, k, b, W, lam, r) {  # W (rows, p) on the standardised scale
  w <- w / sum(w)
  center <- colSums(w * X)
  scale <- sqrt(colSums(w * sweep(X, 2, center)^2))
  S <- sweep(sweep(X, 2, center), 2, scale, "/")
  W <- sweep(W, 2, scale, "*")
  b <- b + (W / rep(scale, each = nrow(W))) %*% center
  Z <- S %*% t(W) + rep(b, each = nrow(S))
  if (k == 2) {
    m <- ifelse(y == 1, Z, -Z)
    loss <- pmax(-m, 0) + log1p(exp(-abs(m)))
  } else {
    top <- apply(Z, 1, max)
    loss <- log(rowSums(exp(Z - top))) + top - Z[cbind(seq_along(y), y + 1)]
  }
  sum(w * loss) + lam * (r * sum(abs(W)) + (1 - r) / 2 * sum(W^2))
}

cat("k,n,p,seed,weighted,l1_ratio,lam,objective\n")
for (k in c(2, 3, 20)) {
  n <- if (k == 20) 400 else 150
  p <- 8
  d <- lcg_problem(n, p, k, 12345 + k)
  for (weighted in c(FALSE, TRUE)) for (r in c(0.99, 0.5)) {
    w <- if (weighted) d$w else rep(1, n)
    lams <- 0.1 * 10^(-(0:4) / 2)
    fit <- glmnet(d$X, factor(d$y), family = if (k == 2) "binomial" else "multinomial",
                  weights = w, alpha = r, lambda = lams, thresh = 1e-15, maxit = 1e7)
    for (i in seq_along(lams)) {
      if (k == 2) { b <- fit$a0[i]; W <- t(as.matrix(fit$beta[, i])) }
      else { b <- fit$a0[, i]; W <- t(sapply(fit$beta, function(m) as.matrix(m[, i]))) }
      cat(sprintf("%d,%d,%d,%d,%d,%g,%.17g,%.17g\n", k, n, p, 12345 + k, weighted, r,
                  lams[i], objective(d$X, d$y, w, k, b, W, lams[i], r)))
    }
  }
}

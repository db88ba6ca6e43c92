"""Gaussian processes on NumPy and SciPy, for few and noisy measurements over few settings.

columns       what each coordinate of a point is: continuous, on a lattice, or a category
kernel        how alike two points are
frame         axes along which the landscape varies, where they are not the settings
likelihood    how plausible a kernel is, given readings
posterior     what is believed of every point
warping       readings on the scale on which they are modelled
model         all of this for one quantity: the objective, or one SLO
landscape     the quantities together: what is good, what is allowed, what comes up
acquisition   what a point is worth measuring for
proposal      the point that is worth most
"""

"""Builds in a Kubernetes cluster: objects of OpenShift, Tekton and Shipwright, Jobs and Pods.

`kinds` tells what each kind of object says of a build, without asking anybody; `source` watches them; `logs` reads what
their pods printed; `holding` keeps them until they are written down.
"""
